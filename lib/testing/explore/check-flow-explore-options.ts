import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import { faultKinds, type FaultKind } from "../simulation/index.ts";
import { actorOptionNames, checkSeedNumbers } from "./check-explore-options.ts";
import type { FlowExploreOptions } from "./explore-flow.ts";

const names = namesOf<FlowExploreOptions>({
  seeds: true,
  from: true,
  onlyFaults: true,
  path: true,
  shrinks: true,
  onRun: true,
});

/** Refuses options that can't be for an exploration of a flow: OPTION_INVALID. */
export function checkFlowExploreOptions<Outs>(
  { name }: { readonly name: string },
  options: FlowExploreOptions<Outs>,
): void {
  const ofActors = Object.keys(options).find((key) => !names.includes(key) && actorOptionNames.includes(key));
  if (ofActors !== undefined) {
    throw new QStreamError("OPTION_INVALID", `\`${ofActors}\` is of explorations of actors, and ${name} is of a flow`, {
      advice: `There are ${names.join(", ")}`,
    });
  }
  checkOptionNames("explore()", options, names);
  checkSeedNumbers({ seeds: options.seeds, from: options.from });
  const wrong = options.onlyFaults?.find((kind) => !faultKinds.includes(kind as FaultKind));
  if (wrong === undefined) return;
  throw new QStreamError("OPTION_INVALID", `"${wrong}" is no fault that strikes flows`, {
    advice: `There are ${faultKinds.join(", ")}`,
  });
}
