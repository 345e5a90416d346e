// specs: timeout 120 s
// Heads, drivers, machines and their wires in a simulated world, with faults of all kinds. Thousands of seeds are in the soak.
import * as assert from "uvu/assert";
import {
  checkClusterSeeds,
  type ClusterSeedsReport,
} from "../../../../lib/testing/simulation/cluster/check-cluster-seeds.ts";
import { clusterFaultKinds } from "../../../../lib/testing/simulation/cluster/cluster-faults.ts";
import { simulateCluster } from "../../../../lib/testing/simulation/cluster/simulate-cluster.ts";
import { storeHost } from "../../../../lib/testing/simulation/cluster/simulated-process.ts";
import { suite } from "../../../kit/suite.ts";
import { clusterFlows, struckKinds } from "./cluster-flows.ts";

const test = suite("simulated clusters");
const seedsEach = 8;
const struck = new Map<string, number>();

test("the same seed gives the same run", async () => {
  const { flow, args, options } = clusterFlows.keyed;
  const simulated = { ...options, seed: 11, faults: clusterFaultKinds };
  const first = await simulateCluster(flow, args as never, simulated);
  const again = await simulateCluster(flow, args as never, simulated);
  assert.ok(first.trace.count > 200);
  assert.is(again.trace.digest, first.trace.digest);
  const other = await simulateCluster(flow, args as never, { ...simulated, seed: 12 });
  assert.is.not(other.trace.digest, first.trace.digest);
}, 60_000);

for (const [index, name] of (["keyed", "diamond"] as const).entries()) {
  test(`${seedsEach} seeds of the flow "${name}" end as on one thread, whatever happens to heads and machines`, async () => {
    const { flow, args, options } = clusterFlows[name];
    const from = 1 + index * seedsEach;
    const checked = await checkClusterSeeds(flow, args as never, {
      ...options,
      seeds: seedsEach,
      from,
      faults: clusterFaultKinds,
    });
    succeeded(checked);
    struckKinds(struck, checked.faults);
  }, 60_000);
}

test("most kinds of faults struck", () => {
  assert.ok(struck.size >= clusterFaultKinds.length * 0.75, JSON.stringify([...struck]));
});

test("a link that comes and goes moves nothing", async () => {
  const { flow, args, options } = clusterFlows.keyed;
  const eachMs = 120;
  const report = await simulateCluster(flow, args as never, {
    ...options,
    seed: 3,
    script: ({ machines, heads, sockets, after }) => {
      const [one = "", other = ""] = machines.map(({ process }) => process.host);
      const leading = heads.find(({ epoch }) => epoch !== undefined)?.process.host ?? "";
      for (const [index, pair] of (
        [
          [one, other],
          [one, leading],
        ] as const
      ).entries()) {
        for (let turn = 0; turn < 12; turn++) {
          after((2 * turn + index) * eachMs, () => sockets.part(...pair));
          after((2 * turn + 1 + index) * eachMs, () => sockets.join(...pair));
        }
      }
    },
  });
  assert.is(report.error, undefined);
  assert.ok(report.outputs !== undefined);
  assert.equal([report.machines, report.drivers, report.reigns, report.moves], [3, 1, 1, 0]);
});

test("a head that stood still while another one took over goes on, and does no harm", async () => {
  const { flow, args, options } = clusterFlows.keyed;
  const report = await simulateCluster(flow, args as never, {
    ...options,
    seed: 4,
    script: ({ heads, after, leaseMs }) => {
      const leading = heads.find(({ epoch }) => epoch !== undefined);
      after(60, () => leading?.process.pause());
      after(60 + 2 * leaseMs, () => leading?.process.resume());
    },
  });
  assert.is(report.error, undefined);
  assert.equal(report.leftBehind, []);
  assert.is(report.reigns, 2);
  assert.ok(report.drivers >= 2);
});

test("a machine that joins while Redis is away is a member for later heads, too", async () => {
  const { flow, args, options } = clusterFlows.keyed;
  const report = await simulateCluster(flow, args as never, {
    ...options,
    seed: 5,
    script: (cluster) => {
      const { heads, sockets, after } = cluster;
      after(60, () => {
        for (const { process } of heads) {
          sockets.part(process.host, storeHost);
          after(400, () => sockets.join(process.host, storeHost));
        }
        cluster.startMachine();
      });
    },
  });
  assert.is(report.error, undefined);
  assert.is(report.machines, 4);
  assert.equal(report.leftBehind, []);
});

function succeeded({ failure }: ClusterSeedsReport<Record<string, unknown>>): void {
  assert.ok(failure === undefined, `${failure?.reason}\n${failure?.report.error?.stack}\n${traceOf(failure)}`);
}

const traceShown = 20_000;

function traceOf(failure: ClusterSeedsReport<Record<string, unknown>>["failure"]): string {
  return failure?.report.trace.toString().slice(-traceShown) ?? "";
}

test.run();
