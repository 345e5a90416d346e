import { TurnHost } from "../../actors/hosts/turn-host.ts";
import type { LineageMetrics } from "../../actors/lineage/lineage-metrics.ts";
import { launchInlineSlots } from "../../actors/slots/inline-slots.ts";
import type { LaunchOptions } from "../../actors/slots/slot-launcher.ts";
import { openStore } from "../../actors/stores/open-store.ts";
import { MemoryNetwork } from "../../actors/transport/memory-transport.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { seededRandom } from "../core/seam/random.ts";
import { Session, type LaunchHooks } from "../flow/session.ts";
import type { LineageOptions } from "../flow/session-lineage.ts";
import { VirtualClock } from "./simulation/index.ts";

export interface VirtualSessionOptions extends LineageOptions {
  /** Slots, all in this thread. Default 2. */
  readonly slots?: number;
  /** Orders what happens at the same time. Default 1. */
  readonly seed?: number;
  /** Virtual milliseconds that the turns of a slot take, at most. Default 1. */
  readonly turnMs?: number;
}

/** A session whose time passes only when nothing is left to do before it: hours of an endless stream in a minute. */
export interface VirtualSession {
  readonly session: Session;
  /** Virtual milliseconds that have passed. */
  readonly elapsedMs: () => number;
  /** Lets time pass until a promise settles, and returns what it gave. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>;
  /** What the store was given so far. */
  readonly written: LineageMetrics;
}

type Written = { -readonly [K in keyof LineageMetrics]: LineageMetrics[K] };

/**
 * Opens a session on a virtual clock, whose store and disks are real ones. While the store is at work, time stands still.
 *
 * @example
 * const { session, until } = await sessionOnVirtualClock({ store: "lmdb:.qstream" });
 * const { counts } = await until(wordcount.run({ path }, { on: session }));
 * await until(session.close());
 */
export async function sessionOnVirtualClock(options: VirtualSessionOptions = {}): Promise<VirtualSession> {
  const { slots = 2, seed = 1, turnMs = 1, store: url = "memory" } = options;
  const random = seededRandom(seed);
  const clock = new VirtualClock({ random });
  const written: Written = { records: 0, recordBytes: 0, checkpoints: 0, checkpointBytes: 0 };
  const store = url === "none" ? undefined : inVirtualTime(await openStore(url), clock, written);
  const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {} };
  const launch: LaunchOptions = {
    ids: Array.from({ length: slots }, (_, index) => `slot-${index}`),
    client: "client",
    tags: [],
    memoryBytes: undefined,
    leaseMs: Infinity,
    files: {},
    stdout: "inherit",
    onReport: (report) => hooks.onReport(report),
    onLost: (slot, error) => hooks.onLost(slot, error),
  };
  const turns = (): TurnHost => new TurnHost(random, (turn) => void clock.after(random() * turnMs, turn));
  const network = new MemoryNetwork({ random, schedule: (deliver) => clock.soon(deliver) });
  const launched = launchInlineSlots(launch, () => ({ host: turns(), clock }), network);
  const session = new Session({ ...options, seed }, launched, hooks, { store, clock, host: turns() });
  return {
    session,
    elapsedMs: () => clock.monotonic(),
    until: async (promise) => {
      await clock.run({ settled: promise });
      return promise;
    },
    written,
  };
}

/** A store whose answers take no virtual time, and which counts what it is given. */
function inVirtualTime(store: LineageStore, clock: VirtualClock, written: Written): LineageStore {
  return {
    kind: store.kind,
    create: (...call) => clock.real(() => store.create(...call)),
    find: (...call) => clock.real(() => store.find(...call)),
    list: () => clock.real(() => store.list()),
    setStatus: (...call) => clock.real(() => store.setStatus(...call)),
    drop: (...call) => clock.real(() => store.drop(...call)),
    commit: (execution, commits) => {
      for (const { records } of commits) {
        written.records += records.length;
        for (const record of records) written.recordBytes += record.byteLength;
      }
      return clock.real(() => store.commit(execution, commits));
    },
    read: (...call) => clock.real(() => store.read(...call)),
    saveCheckpoint: (...call) => {
      written.checkpoints++;
      written.checkpointBytes += call[4].byteLength;
      return clock.real(() => store.saveCheckpoint(...call));
    },
    loadCheckpoint: (...call) => clock.real(() => store.loadCheckpoint(...call)),
    fence: (...call) => clock.real(() => store.fence(...call)),
    free: (...call) => clock.real(() => store.free(...call)),
    countFailure: (...call) => clock.real(() => store.countFailure(...call)),
    progress: (...call) => clock.real(() => store.progress(...call)),
    bytesHeld: () => clock.real(() => store.bytesHeld()),
    close: () => clock.real(() => store.close()),
  };
}
