// node run-mutant.js PATCHES SEEDS [all|FLOW [FAULT,...]]: simulates the flows of the recovery specs with a broken engine until a seed
// fails, the named one first, and only that one where its faults are named, many of them a seed. Prints {"seeds", "reason"} as JSON. Ends
// with code 3 where the engine can't even be loaded.
import { register } from "node:module";
import type { FaultKind } from "../../lib/testing/simulation/index.ts";
import type { Patch } from "./mutating-loader.ts";

const [, , patches = "[]", seeds = "2000", which = "quick", kinds] = process.argv;
const faults = kinds?.split(",") as readonly FaultKind[] | undefined;
register("./mutating-loader.js", import.meta.url, { data: JSON.parse(patches) as Patch[] });

/** Seeds of one flow, before another one has its turn. */
const turn = 20;
/** Seeds of a flow before those of the next. */
const flowSeeds = 10_000;

async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    console.error(String(error));
    return process.exit(3);
  }
}

const { checkSeeds, excusedErrors, survivableFaults } = await loaded(() => import("../../lib/testing/simulation/index.ts"));
const { simulatedFlows } = await loaded(() => import("../lib/testing/simulation/flows.ts"));

let done = 0;
let reason: string | undefined;
// Columnar batches take long, and go the same ways.
const flows = Object.entries(simulatedFlows)
  .filter(([name]) => which === "all" || name !== "columnar")
  .map(([name, simulated], index) => ({ name, index, ...simulated }))
  .filter(({ name }) => faults === undefined || name === which)
  .toSorted((left, right) => Number(right.name === which) - Number(left.name === which));
for (let from = 1; done < Number(seeds) && reason === undefined; from += turn) {
  for (const { name, index, flow, args, options } of flows) {
    if (done >= Number(seeds) || reason !== undefined) break;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const checked = await checkSeeds(flow, args as never, {
        ...options,
        seeds: turn,
        // Each flow has seeds of its own: together they meet more faults.
        from: from + index * flowSeeds,
        ...(faults === undefined ? { faults: survivableFaults } : { faults, faultsMax: 6 }),
        acceptErrors: excusedErrors,
        finishWithinMs: 10_000,
      });
      done += checked.seeds;
      // A sign of life.
      process.stderr.write(".");
      if (checked.failure !== undefined) reason = `${name}, ${checked.failure.reason}`;
    } catch (error) {
      reason = `${name}, without faults: ${String(error)}`;
    }
  }
}
process.stdout.write(`${JSON.stringify({ seeds: done, reason })}\n`, () => process.exit(0));
