import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import type { ExhaustiveOptions } from "./exhaustive/index.ts";
import { checkWhole, machinesMost } from "./check-exploration.ts";
import { isExploration } from "./exploration.ts";
import type { ExploreOptions } from "./explore.ts";

/** Names of the options of `explore` for actors. */
export const actorOptionNames: readonly string[] = namesOf<ExploreOptions>({
  seeds: true,
  from: true,
  steps: true,
  stopAt: true,
  machines: true,
  onlyFaults: true,
  onlyDelays: true,
  pictures: true,
  shrinks: true,
  onRun: true,
  path: true,
  onExecution: true,
  exhaustive: true,
  sizes: true,
});

const exhaustiveNames = namesOf<ExhaustiveOptions>({
  losses: true,
  repeats: true,
  crashes: true,
  depth: true,
  executions: true,
  reduction: true,
});

const most = 2 ** 31;

/** Refuses what can't be explored, or not so: OPTION_INVALID. */
export function checkExploreOptions(exploration: unknown, options: ExploreOptions): void {
  if (!isExploration(exploration)) {
    throw new QStreamError("OPTION_INVALID", "what is to be explored is no exploration", {
      advice: "Give what defineExploration(import.meta.url, { start, ... }) returns",
    });
  }
  checkOptionNames("explore()", options, actorOptionNames);
  const { seeds, from, steps, stopAt, machines, exhaustive } = options;
  checkSeedNumbers({ seeds, from, steps, stopAt });
  if (machines !== undefined) checkWhole("machines", machines, 1, machinesMost);
  checkFaultIds(options.onlyFaults);
  checkSizes(options, exploration.options.machines);
  if (exhaustive === undefined || exhaustive === false) return;
  if (exhaustive !== true) checkExhaustive(exhaustive);
  const seeded = (["seeds", "from", "steps", "stopAt", "onlyFaults", "onlyDelays", "sizes"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (seeded === undefined) return;
  throw new QStreamError("OPTION_INVALID", `\`${seeded}\` is of runs of seeds, and \`exhaustive\` has none`, {
    advice: "Leave one of them out; `exhaustive` takes { depth, executions, losses, repeats, crashes, reduction }",
  });
}

/** Refuses numbers of seeds and steps that can't be: OPTION_INVALID. */
export function checkSeedNumbers(numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined) checkWhole(name, value, name === "from" ? 0 : 1, most);
  }
}

function checkFaultIds(ids: readonly string[] | undefined): void {
  const wrong = ids?.find((id) => !/^(?:m?\d{1,9}|skew)$/u.test(id));
  if (wrong === undefined) return;
  throw new QStreamError("OPTION_INVALID", `"${wrong}" is no fault of an exploration of actors`, {
    advice: "They are as a violation names them: 1, m17, skew",
  });
}

function checkSizes({ machines, sizes }: ExploreOptions, explored: unknown): void {
  const changed = machines !== undefined ? "machines" : sizes !== undefined ? "sizes" : undefined;
  if (changed !== undefined && typeof explored !== "number") {
    throw new QStreamError("OPTION_INVALID", `${changed} is given, but there is no number of machines to change`, {
      advice: "Have `start` use `world.machines`, and give the exploration `machines` as a number",
    });
  }
  if (sizes === undefined) return;
  if (sizes.length > 0 && sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= machinesMost)) return;
  throw new QStreamError("OPTION_INVALID", `sizes is ${JSON.stringify(sizes)}`, {
    advice: "Give numbers of machines from 1 to 1,000: [3, 5, 9, 17]",
  });
}

function checkExhaustive(exhaustive: ExhaustiveOptions): void {
  checkOptionNames("exhaustive", exhaustive, exhaustiveNames);
  const { reduction, ...numbers } = exhaustive;
  if (reduction !== undefined && !["races", "states", "none"].includes(reduction)) {
    throw new QStreamError("OPTION_INVALID", `exhaustive.reduction is ${JSON.stringify(reduction)}`, {
      advice: "Give races, states or none",
    });
  }
  for (const [name, value] of Object.entries(numbers)) {
    const least = name === "depth" || name === "executions" ? 1 : 0;
    if (value !== undefined) checkWhole(`exhaustive.${name}`, value, least, most);
  }
}
