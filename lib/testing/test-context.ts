import { ChannelTimers } from "../../actors/channel/timers.ts";
import type { Context, OperatorContext, Timers } from "../core/contracts/context.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import { DatasetShelf } from "../core/dataset-shelf.ts";
import type { Disk } from "../core/seam/disk.ts";
import { seededRandom } from "../core/seam/random.ts";

/** A context for calling an operator, reader or sink by hand, and what it was told. */
export interface TestContext extends OperatorContext {
  seq: number;
  stopped: boolean;
  readonly counters: Map<string, number>;
  /** What `now()` says unless it was given: milliseconds since 1970, 0 at first. Time doesn't pass by itself: `passTime` lets it. */
  nowMs: number;
  readonly timers: TestTimers;
}

/** The timers of a test context. */
export interface TestTimers extends Timers {
  /** Those that are pending, each with the milliseconds since 1970 at which it goes off, the next one first. */
  list(): readonly (readonly [name: string, at: number])[];
  /** Takes a timer off the list, as is done before `onTimer` is called. Says when it was to go off; undefined if it isn't pending. */
  goOff(name: string): number | undefined;
}

/** Makes a context whose clock stands at 0 ms, and a generator seeded by `seed`; every part can be given. */
export function testContext(parts: Partial<Context> & { readonly seed?: number } = {}): TestContext {
  const random = seededRandom(parts.seed ?? 1);
  const counters = new Map<string, number>();
  const missing = (what: string): never => {
    throw new Error(`this test context has no ${what}: give it to testContext`);
  };
  const shelf = new DatasetShelf("test");
  const context: TestContext = {
    execution: "test",
    step: "step",
    channel: 0,
    channels: 1,
    seq: 0,
    nowMs: 0,
    now: () => context.nowMs,
    random,
    signal: new AbortController().signal,
    stopped: false,
    stop() {
      context.stopped = true;
    },
    counters,
    count: (name, amount = 1) => void counters.set(name, (counters.get(name) ?? 0) + amount),
    timers: timersOf(() => context),
    memoryBytes: 64 << 20,
    datasets: shelf,
    get files(): FileSystem {
      return parts.files ?? missing("files");
    },
    get spill(): Disk {
      return parts.spill ?? missing("spill");
    },
  };
  const { files: _files, spill: _spill, seed: _seed, ...rest } = parts;
  return Object.assign(context, rest);
}

function timersOf(context: () => TestContext): TestTimers {
  const now = (): number => context().now();
  const clock = { now, monotonic: now, after: () => () => {} };
  return new ChannelTimers({ clock, max: Infinity, now, refuse: () => {} });
}
