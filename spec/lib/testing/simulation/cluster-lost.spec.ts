// specs: timeout 120 s
// A simulated cluster all of which is lost, but for Redis: another head goes on with what ran, with another driver on other machines.
import * as assert from "uvu/assert";
import {
  simulateCluster,
  type ClusterSimulationReport,
} from "../../../../lib/testing/simulation/cluster/simulate-cluster.ts";
import { simulate } from "../../../../lib/testing/simulation/simulate.ts";
import { suite } from "../../../kit/suite.ts";
import { clusterFlows, type ClusterFlowName } from "./cluster-flows.ts";
import { losesAllNowAndThen, loseAll } from "./lost-clusters.ts";

const test = suite("simulated clusters that are lost");

type Report = ClusterSimulationReport<Record<string, unknown>>;

/** What a flow gives on one thread. */
async function wantedOf(name: ClusterFlowName): Promise<unknown> {
  const { flow, args, options } = clusterFlows[name];
  const { outputs, error } = await simulate(flow, args as never, { seed: 0, slots: 1, limits: options.limits ?? {} });
  if (outputs === undefined) throw error ?? new Error("it gave nothing");
  return sorted(outputs);
}

/** Outputs without the order of their rows. */
function sorted(outputs: Record<string, unknown>): unknown {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, rows]) => [
      name,
      Array.isArray(rows) ? rows.map((row) => JSON.stringify(row)).toSorted() : rows,
    ]),
  );
}

function succeeded(report: Report, wanted: unknown): void {
  const shown = (): string => `seed ${report.seed}: ${report.error?.stack}\n${report.trace.toString().slice(-10_000)}`;
  assert.ok(report.outputs !== undefined && report.error === undefined, shown());
  assert.equal(sorted(report.outputs), wanted, `seed ${report.seed}`);
  assert.equal(report.leftBehind, [], `seed ${report.seed}`);
}

for (const name of ["keyed", "diamond"] as const) {
  test(`the flow "${name}" is gone on with after all was lost, whenever that was`, async () => {
    const { flow, args, options } = clusterFlows[name];
    const wanted = await wantedOf(name);
    const without = await simulateCluster(flow, args as never, { ...options, seed: 0 });
    const seeds = 6;
    let [drivers, moves] = [0, 0];
    for (let seed = 1; seed <= seeds; seed++) {
      const atMs = (seed / (seeds + 1)) * without.executionMs;
      // oxlint-disable-next-line no-await-in-loop -- one world after the other
      const report = await simulateCluster(flow, args as never, {
        ...options,
        seed,
        script: (cluster) =>
          cluster.after(atMs, () =>
            loseAll(cluster, { dark: seed % 2 === 0, downMs: 100 * seed, headsLast: seed % 3 === 0 }),
          ),
      });
      succeeded(report, wanted);
      drivers += report.drivers;
      moves += report.moves;
    }
    assert.ok(drivers >= 2 * seeds, `${drivers} drivers`);
    assert.ok(moves > 0);
  }, 60_000);
}

test("all may be lost again while another driver goes on, or before one does", async () => {
  const { flow, args, options } = clusterFlows.sorted;
  const wanted = await wantedOf("sorted");
  for (let seed = 1; seed <= 8; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one world after the other
    succeeded(
      await simulateCluster(flow, args as never, { ...options, seed, script: losesAllNowAndThen(seed) }),
      wanted,
    );
  }
}, 60_000);

test.run();
