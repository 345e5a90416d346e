import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import type { ClusterSession } from "../../lib/index.ts";
import type { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { sameMultiset } from "../../lib/testing/multiset.ts";
import type { RedisServer } from "../kit/redis-server.ts";
import type { RelayedMachine } from "./behind-relay.ts";
import { sums, sumsOf } from "./flows.ts";
import type { SteadyRun } from "./steady-run.ts";

/** A cluster in which something goes wrong. Each case says what it has measured. */
export interface MatrixWorld {
  readonly redis: RedisServer;
  readonly machines: LoopbackCluster;
  readonly relayed: readonly RelayedMachine[];
  readonly session: ClusterSession;
  readonly leaseMs: number;
  /** Temporary files of all processes that were started from here are in it. */
  readonly folder: string;
}

/** For how long something is waited for that happens soon, but where a machine has more to do than it can. */
export const patienceMs = 60_000;

/** Memory of a process, as the system has it. */
export function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

export function assertNothingMoved(steady: SteadyRun): void {
  assert.is(steady.count("recovered") + steady.count("slot-lost") + steady.count("rebalanced"), 0, steady.kinds);
}

/** The cluster does what it is given next. */
export async function assertNextRuns(session: ClusterSession): Promise<void> {
  const upTo = 1000;
  assert.ok(sameMultiset((await sums.run({ upTo }, { on: session })).sums, sumsOf(upTo)));
}
