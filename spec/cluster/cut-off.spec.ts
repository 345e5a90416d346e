// specs: waits
// specs: timeout 120 s
// Machines of a simulated cluster that are out of reach for long: of Redis, of the driver only, or of each other.
import * as assert from "uvu/assert";
import type { ClusterUnderFaults } from "../../lib/testing/simulation/cluster/cluster-faults.ts";
import {
  simulateCluster,
  type ClusterSimulationReport,
} from "../../lib/testing/simulation/cluster/simulate-cluster.ts";
import { storeHost } from "../../lib/testing/simulation/cluster/simulated-process.ts";
import { suite } from "../kit/suite.ts";
import { clusterFlows } from "../lib/testing/simulation/cluster-flows.ts";

const test = suite("machines that are cut off");

type Report = ClusterSimulationReport<Record<string, unknown>>;

interface Cut {
  readonly seed: number;
  readonly leaseMs: number;
  /** When after the submission, and for how long. */
  readonly atMs: number;
  readonly forMs: number;
  readonly oneWay?: boolean;
  readonly machines?: number;
  /** Pairs of hosts that don't reach each other. */
  readonly pairs: (cluster: ClusterUnderFaults) => readonly (readonly [string, string])[];
}

function simulate({ seed, leaseMs, atMs, forMs, oneWay, machines = 3, pairs }: Cut): Promise<Report> {
  const { flow, args, options } = clusterFlows.keyed;
  return simulateCluster(flow, args as never, {
    ...options,
    seed,
    machines,
    leaseMs,
    finishWithinMs: 1_000_000,
    script: (cluster) => {
      const { sockets, after } = cluster;
      const parted = pairs(cluster);
      after(atMs, () => {
        for (const pair of parted) sockets.part(...pair, oneWay);
      });
      after(atMs + forMs, () => {
        for (const pair of parted) sockets.join(...pair);
      });
    },
  });
}

const machineHosts = ({ machines }: ClusterUnderFaults): string[] => machines.map(({ process }) => process.host);

function leaderHost({ heads }: ClusterUnderFaults): string {
  return heads.find(({ epoch }) => epoch !== undefined)?.process.host ?? "";
}

const firstFromStore: Cut["pairs"] = (cluster) =>
  machineHosts(cluster)
    .slice(0, 1)
    .map((host) => [host, storeHost]);

for (const [leaseMs, sentence] of [
  [1000, "is given up after a lease and a half"],
  [50_000, "is given up also where leases are long"],
] as const) {
  test(`a machine that can't reach Redis for minutes, while others can, ${sentence}`, async () => {
    for (const seed of [1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const report = await simulate({ seed, leaseMs, atMs: 60, forMs: 300_000, pairs: firstFromStore });
      assert.is(report.error, undefined);
      assert.ok(report.outputs !== undefined && report.moves > 0, `${report.moves} lives were moved`);
      assert.ok(report.executionMs < 2.5 * leaseMs, `it took ${report.executionMs} ms`);
      assert.equal([report.drivers, report.reigns, report.leftBehind], [1, 1, []]);
    }
  }, 60_000);
}

test("of machines that can't reach Redis none is waited for as long as there is one that can", async () => {
  const report = await simulate({
    seed: 3,
    leaseMs: 1000,
    atMs: 60,
    forMs: 120_000,
    pairs: (cluster) =>
      machineHosts(cluster)
        .slice(0, 2)
        .map((host) => [host, storeHost]),
  });
  assert.is(report.error, undefined);
  assert.ok(report.executionMs < 5000, `it took ${report.executionMs} ms`);
}, 60_000);

const amongFirst =
  (count: number): Cut["pairs"] =>
  (cluster) => {
    const hosts = machineHosts(cluster).slice(0, count);
    return hosts.flatMap((one, index) => hosts.slice(index + 1).map((other) => [one, other] as const));
  };

for (const { machines, parted, oneWay, sentence } of [
  { machines: 3, parted: 2, oneWay: false, sentence: "one of them goes, and what it did is made again" },
  { machines: 3, parted: 2, oneWay: true, sentence: "the same where only one doesn't reach the other" },
  { machines: 2, parted: 2, oneWay: false, sentence: "one of them does it all where there are no others" },
  { machines: 3, parted: 3, oneWay: false, sentence: "one is left where none reaches another one" },
]) {
  test(`${parted} of ${machines} machines that can't reach each other for minutes: ${sentence}`, async () => {
    for (const [seed, leaseMs] of [
      [1, 1000],
      [2, 1000],
      [3, 20_000],
    ] as const) {
      const cut = { seed, leaseMs, machines, oneWay, atMs: 60, forMs: 400 * leaseMs };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const report = await simulate({ ...cut, pairs: amongFirst(parted) });
      assert.is(report.error, undefined);
      assert.ok(report.outputs !== undefined && report.moves > 0, `${report.moves} lives were moved`);
      assert.ok(report.executionMs < 5 * leaseMs, `it took ${report.executionMs} ms`);
      // The cluster keeps all of them.
      assert.equal([report.drivers, report.machines, report.leftBehind], [1, machines, []]);
    }
  }, 60_000);
}

test("machines that lose each other for less than a lease wait for each other", async () => {
  for (const seed of [1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const report = await simulate({ seed, leaseMs: 1000, atMs: 60, forMs: 900, pairs: amongFirst(3) });
    assert.is(report.error, undefined);
    assert.is(report.moves, 0);
  }
}, 60_000);

test("a head that leads and can't reach Redis, while another one can, isn't waited for", async () => {
  const leaseMs = 1000;
  for (const seed of [1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const report = await simulate({
      seed,
      leaseMs,
      atMs: 60,
      forMs: 120_000,
      pairs: (cluster) => [[leaderHost(cluster), storeHost]],
    });
    assert.is(report.error, undefined);
    assert.ok(report.executionMs < 5 * leaseMs, `it took ${report.executionMs} ms`);
    assert.equal([report.machines, report.reigns, report.leftBehind], [3, 2, []]);
  }
}, 60_000);

test("an end whose keeping Redis did, and couldn't answer, is told all the same", async () => {
  const leaseMs = 1000;
  const { executionMs } = await simulate({ seed: 1, leaseMs, atMs: 0, forMs: 0, pairs: () => [] });
  for (let earlier = 1; earlier < 15; earlier += 2) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const report = await simulate({
      seed: 1,
      leaseMs,
      atMs: executionMs - earlier,
      forMs: 300,
      oneWay: true,
      pairs: (cluster) => [[storeHost, leaderHost(cluster)]],
    });
    assert.is(report.error, undefined);
    assert.ok(report.executionMs < executionMs + 5 * leaseMs, `it took ${report.executionMs} ms`);
    assert.equal(report.leftBehind, []);
  }
}, 60_000);

test("a driver that gave all machines up before they said a word is followed by one that hears of them", async () => {
  for (const [seed, leases] of [
    [1, 1.4],
    [2, 1.9],
  ] as const) {
    const leaseMs = 1000;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const report = await simulate({
      seed,
      leaseMs,
      atMs: 0,
      // Longer than the lease after which a driver gives up, and less than those that the head gives.
      forMs: leases * leaseMs,
      pairs: (cluster) => machineHosts(cluster).map((host) => [host, leaderHost(cluster)]),
    });
    assert.is(report.error, undefined);
    assert.ok(report.drivers >= 2, `${report.drivers} drivers`);
    // The head counted on them all the time.
    assert.is(report.machines, 3);
    assert.equal(report.leftBehind, []);
  }
}, 60_000);

test.run();
