// node run-cluster-mutant.js PATCHES SEEDS: runs the flows of the cluster specs on simulated clusters that are broken, until a seed fails,
// and prints {"seeds", "reason"} as JSON. Ends with code 3 where the cluster can't even be loaded.
import { register } from "node:module";
import type { Patch } from "./mutating-loader.ts";

const [, , patches = "[]", seeds = "200"] = process.argv;
register("./mutating-loader.js", import.meta.url, { data: JSON.parse(patches) as Patch[] });

/** Seeds of one flow, before another one has its turn. */
const turn = 15;
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

const { checkClusterSeeds } = await loaded(() => import("../../lib/testing/simulation/cluster/check-cluster-seeds.ts"));
const { clusterFaultKinds } = await loaded(() => import("../../lib/testing/simulation/cluster/cluster-faults.ts"));
const { clusterFlows } = await loaded(() => import("../lib/testing/simulation/cluster-flows.ts"));

let done = 0;
let reason: string | undefined;
const flows = Object.entries(clusterFlows);
for (let from = 1; done < Number(seeds) && reason === undefined; from += turn) {
  for (const [index, [name, { flow, args, options }]] of flows.entries()) {
    if (done >= Number(seeds) || reason !== undefined) break;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const checked = await checkClusterSeeds(flow, args as never, {
        ...options,
        seeds: turn,
        // Each flow has seeds of its own: together they meet more faults.
        from: from + index * flowSeeds,
        faults: clusterFaultKinds,
        finishWithinMs: 20_000,
        // A sign of life.
        onSeed: () => void process.stderr.write("."),
      });
      done += checked.seeds;
      if (checked.failure !== undefined) reason = `${name}, ${checked.failure.reason}`;
    } catch (error) {
      reason = `${name}, ${String(error).slice(0, 300)}`;
    }
  }
}
process.stdout.write(`${JSON.stringify({ seeds: done, reason })}\n`, () => process.exit(0));
