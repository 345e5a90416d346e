// specs: timeout 300 s
// Simulated clusters: seeds with faults, and the whole size.
import * as assert from "uvu/assert";
import { checkClusterSeeds } from "../../lib/testing/simulation/cluster/check-cluster-seeds.ts";
import { clusterFaultKinds } from "../../lib/testing/simulation/cluster/cluster-faults.ts";
import { simulateCluster } from "../../lib/testing/simulation/cluster/simulate-cluster.ts";
import { note } from "../kit/note.ts";
import { suite } from "../kit/suite.ts";
import { clusterFlows, struckKinds, type ClusterFlowName } from "../lib/testing/simulation/cluster-flows.ts";
import { losesAllNowAndThen } from "../lib/testing/simulation/lost-clusters.ts";
import { growsTooFast, printScale, simulateScale, takesTooLong } from "../lib/testing/simulation/scale.ts";

const test = suite("simulated clusters");
const seeds = Number(process.env["QSTREAM_CLUSTER_SEEDS"] ?? 120);
// Seeds of each flow, beyond those of the specs.
const firstSeed = 100_000;

test(`${seeds} seeds end as on one thread, with faults of all kinds`, async () => {
  const struck = new Map<string, number>();
  const names = Object.keys(clusterFlows) as ClusterFlowName[];
  const sums = { reigns: 0, drivers: 0, writesRefused: 0, commitsRefused: 0, moves: 0 };
  for (const [index, name] of names.entries()) {
    const { flow, args, options } = clusterFlows[name];
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const checked = await checkClusterSeeds(flow, args as never, {
      ...options,
      seeds: Math.ceil(seeds / names.length),
      from: firstSeed + index * seeds,
      faults: clusterFaultKinds,
    });
    const { failure } = checked;
    assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.report.trace.toString().slice(-20_000)}`);
    struckKinds(struck, checked.faults);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += checked[key];
  }
  note(JSON.stringify({ ...sums, ...Object.fromEntries(struck) }));
  for (const kind of clusterFaultKinds) assert.ok((struck.get(kind) ?? 0) > 0, `no seed had the fault ${kind}`);
  // What is to do no harm has tried to.
  for (const key of ["writesRefused", "moves"] as const) assert.ok(sums[key] > 0, key);
}, 200_000);

test(`${seeds} seeds in which all of a cluster is lost, up to three times, are gone on with`, async () => {
  for (const [index, name] of (Object.keys(clusterFlows) as ClusterFlowName[]).entries()) {
    const { flow, args, options } = clusterFlows[name];
    for (let seed = firstSeed; seed < firstSeed + seeds / 3; seed++) {
      const script = losesAllNowAndThen(seed + index * seeds);
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const { outputs, error, leftBehind } = await simulateCluster(flow, args as never, { ...options, seed, script });
      assert.ok(outputs !== undefined, `${name}, seed ${seed}: ${error?.stack}`);
      assert.equal(leftBehind, [], `${name}, seed ${seed}`);
    }
  }
}, 200_000);

test("200 machines of 8 slots, 10,000 channels: what heads and drivers do grows as channels do", async () => {
  const smaller = { machines: 20, slots: 8, channelsEach: 91 };
  // The first time, V8 compiles.
  await simulateScale(smaller);
  const small = await simulateScale(smaller);
  const large = await simulateScale({ machines: 200, slots: 8, channelsEach: 910 });
  printScale(small);
  printScale(large);
  assert.is(large.channels, 10_010);
  assert.equal([...growsTooFast(small, large), ...takesTooLong(small, large)], []);
}, 200_000);

test.run();
