// What simulated flows give where nothing fails, by an engine that isn't broken: one that is always wrong in the same way gives the
// same with faults and without.
import { isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import { simulate, type CheckSeedsOptions, type Outcome } from "../../lib/testing/simulation/index.ts";
import { sameOutputs } from "../../lib/testing/simulation/same-outcome.ts";
import type { SimulatedFlow } from "../lib/testing/simulation/flows.ts";

type Outputs = Readonly<Record<string, unknown>>;
type Given = Outcome & { readonly outputs: Outputs };

/** What this process's engine gives, as bytes for another process. What isn't data is left out. */
export async function healthyOutputs(flows: Readonly<Record<string, SimulatedFlow<never>>>): Promise<Uint8Array> {
  const given = new Map<string, Given>();
  for (const [name, flow] of Object.entries(flows)) {
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const found = await givenBy(flow);
    const copy: unknown = deserialize(serialize(found));
    if (isDeepStrictEqual(copy, found)) given.set(name, found);
  }
  return serialize(given);
}

/** Says how what this process's engine gives differs from what a healthy one gave. */
export async function unlikeHealthy(
  healthy: Uint8Array,
  name: string,
  flow: SimulatedFlow<never>,
): Promise<string | undefined> {
  const wanted = (deserialize(healthy) as Map<string, Given>).get(name);
  if (wanted === undefined) return undefined;
  const found = await givenBy(flow);
  const { accept } = (flow.options ?? {}) as Partial<CheckSeedsOptions<Outputs>>;
  const isSame =
    accept?.(found.outputs, wanted.outputs, found) ?? sameOutputs(found.outputs, wanted.outputs, found, wanted);
  return isSame ? undefined : `${name}, without faults, gives what a healthy engine doesn't`;
}

async function givenBy({ flow, args, options }: SimulatedFlow<never>): Promise<Given> {
  const { outputs, files, error } = await simulate(flow, args as never, {
    ...(options as object),
    faults: [],
    seed: 0,
    traceLines: 0,
  });
  if (outputs === undefined) throw error ?? new Error("the run without faults gave no outputs");
  return { outputs, files };
}
