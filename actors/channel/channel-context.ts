import type { Context } from "../../lib/core/contracts/context.ts";
import type { DatasetShelf } from "../../lib/core/dataset-shelf.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import type { EdgeContext } from "../../lib/core/program.ts";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";

export interface ChannelContextParts {
  /** The execution's name as user code sees it: the one that it was started with. */
  readonly execution: string;
  /** Added to the numbers of tasks that user code sees, where other channels did tasks of the step before these. */
  readonly tasksBefore?: number | undefined;
  readonly step: string;
  readonly channel: number;
  readonly channels: number;
  readonly memoryBytes: number;
  readonly files: FileSystem;
  readonly spill: Disk;
  readonly datasets: DatasetShelf;
  readonly clock: Clock;
  readonly seed: number;
  readonly metrics: ChannelMetrics;
}

/** The context of a channel: one object for its whole life, moved on from task to task. */
export class ChannelContext implements Context {
  readonly execution: string;
  readonly step: string;
  readonly channel: number;
  readonly channels: number;
  readonly memoryBytes: number;
  readonly files: FileSystem;
  readonly spill: Disk;
  readonly datasets: DatasetShelf;
  seq = -1;
  /** Set by `stop`: the channel ends after the task. */
  stopped = false;
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #tasksBefore: number;
  readonly #metrics: ChannelMetrics;
  /** What functions on edges see: what they draw doesn't depend on how far a generator has run ahead of them. */
  readonly edge: EdgeContext;
  #taskNow: number | undefined;
  #now: number | undefined;
  #random: Random | undefined;
  #randomSalt = 0;
  #edgeRandom: Random | undefined;

  constructor(parts: ChannelContextParts) {
    this.execution = parts.execution;
    this.step = parts.step;
    this.channel = parts.channel;
    this.channels = parts.channels;
    this.memoryBytes = parts.memoryBytes;
    this.files = parts.files;
    this.spill = parts.spill;
    this.datasets = parts.datasets;
    this.#clock = parts.clock;
    this.#seed = parts.seed;
    this.#tasksBefore = parts.tasksBefore ?? 0;
    this.#metrics = parts.metrics;
    // They are handed to user code, which may take them off the object.
    this.random = this.random.bind(this);
    this.now = this.now.bind(this);
    this.edge = edgeContextOf(this);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Moves on to a task.
   *
   * @param now - what the log says of the time, on replay
   */
  begin(seq: number, now?: number): void {
    this.seq = this.#tasksBefore + seq;
    this.#taskNow = now;
    this.#edgeRandom = undefined;
  }

  /**
   * User code starts on something: it draws anew, and its time is that of the task that runs now, however many tasks its
   * output is cut into.
   *
   * @param salt - tells what it draws from what other work of the channel draws: the same on replay
   */
  enter(salt: number): void {
    this.#now = undefined;
    this.#random = undefined;
    this.#randomSalt = salt;
  }

  /** Milliseconds since 1970, fixed for the task. */
  get taskNow(): number {
    this.#taskNow ??= this.#clock.now();
    return this.#taskNow;
  }

  now(): number {
    this.#now ??= this.taskNow;
    return this.#now;
  }

  random(): number {
    this.#random ??= this.#generator(this.#randomSalt);
    return this.#random();
  }

  edgeRandom(): number {
    this.#edgeRandom ??= this.#generator(~this.seq);
    return this.#edgeRandom();
  }

  #generator(salt: number): Random {
    return seededRandom(Math.imul(this.#seed ^ salt, 0x9e3779b1) ^ (this.channel << 16));
  }

  stop(): void {
    this.stopped = true;
  }

  count(name: string, amount = 1): void {
    const { counters } = this.#metrics;
    counters[name] = (counters[name] ?? 0) + amount;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }
}

function edgeContextOf(ctx: ChannelContext): EdgeContext {
  return {
    step: ctx.step,
    channel: ctx.channel,
    channels: ctx.channels,
    get seq() {
      return ctx.seq;
    },
    now: () => ctx.taskNow,
    random: () => ctx.edgeRandom(),
    count: (name, amount) => ctx.count(name, amount),
  };
}
