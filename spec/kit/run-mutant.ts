// node run-mutant.js PATCHES SEEDS [all|FLOW [FAULT,...]]: simulates the flows of the recovery specs with a broken engine until a seed
// fails, the named one first, and only that one where faults are named, of which then many strike. Prints {"seeds", "reason",
// "command"} as JSON, the latter to run that seed again.
// On standard input it may get what a healthy engine gives. Ends with code 3 where the engine can't even be loaded.
import { register } from "node:module";
import { buffer } from "node:stream/consumers";
import type { FaultKind } from "../../lib/testing/simulation/index.ts";
import type { FlowName } from "../lib/testing/simulation/check-flows.ts";
import type { Patch } from "./mutating-loader.ts";

const [, , patches = "[]", seeds = "2000", which = "quick", kinds] = process.argv;
const faults = kinds?.split(",") as readonly FaultKind[] | undefined;
const changes = JSON.parse(patches) as Patch[];
register("./mutating-loader.js", import.meta.url, { data: changes });

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

const { checkSeeds, excusedErrors, survivableFaults } = await loaded(
  () => import("../../lib/testing/simulation/index.ts"),
);
const { fixedFlows, simulatedFlows } = await loaded(() => import("../lib/testing/simulation/flows.ts"));
const { unlikeHealthy } = await loaded(() => import("./healthy-outputs.ts"));
const { repeatSeed } = await loaded(() => import("../lib/testing/simulation/repeated-seed.ts"));

const settings = {
  ...(faults === undefined ? { faults: survivableFaults } : { faults, faultsMax: 6 }),
  finishWithinMs: 10_000,
};

const healthy = process.stdin.isTTY ? Buffer.alloc(0) : await buffer(process.stdin);
let done = 0;
let reason: string | undefined;
let command: string | undefined;
// Columnar batches take long, and go the same ways.
const flows = Object.entries(simulatedFlows)
  .filter(([name]) => which === "all" || name !== "columnar")
  .map(([name, simulated], index) => ({ name, index, ...simulated }))
  .filter(({ name }) => faults === undefined || which === "all" || name === which)
  .toSorted((left, right) => Number(right.name === which) - Number(left.name === which));
for (const { name, ...simulated } of healthy.length === 0 ? [] : flows) {
  // oxlint-disable-next-line no-await-in-loop -- one world at a time
  reason ??= await unlikeHealthy(healthy, name, simulated).catch(
    (error: unknown) => `${name}, without faults: ${String(error)}`,
  );
  process.stderr.write(".");
}
for (let from = 1; done < Number(seeds) && reason === undefined; from += turn) {
  for (const { name, index, flow, args, options } of flows) {
    if (done >= Number(seeds) || reason !== undefined) break;
    const given = { ...settings, rescales: faults !== undefined && !fixedFlows.includes(name) };
    try {
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const checked = await checkSeeds(flow, args as never, {
        ...options,
        seeds: turn,
        // Each flow has seeds of its own: together they meet more faults.
        from: from + index * flowSeeds,
        ...given,
        acceptErrors: excusedErrors,
        command: (seed) => repeatSeed(name as FlowName, seed, { ...given, patches: changes }),
      });
      done += checked.seeds;
      // A sign of life.
      process.stderr.write(".");
      if (checked.failure !== undefined) {
        reason = `${name}, ${checked.failure.reason}`;
        ({ command } = checked.failure);
      }
    } catch (error) {
      reason = `${name}, without faults: ${String(error)}`;
      command = repeatSeed(name as FlowName, from, { ...given, patches: changes });
    }
  }
}
process.stdout.write(`${JSON.stringify({ seeds: done, reason, command })}\n`, () => process.exit(0));
