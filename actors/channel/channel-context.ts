import type { OperatorContext } from "../../lib/core/contracts/context.ts";
import type { DatasetShelf } from "../../lib/core/dataset-shelf.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import type { EdgeContext } from "../../lib/core/program.ts";
import { keyedRandom, type Random } from "../../lib/core/seam/random.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { differs } from "./logged-output.ts";
import { nobodyToTell, refuseTimers } from "./refuse-timers.ts";
import { ChannelTimers, type TimerChange } from "./timers.ts";

export interface ChannelContextParts {
  /** The execution's name as user code sees it: the one that it was started with. */
  readonly execution: string;
  /** Added to the numbers of tasks that user code sees, where other channels did tasks of the step before these. */
  readonly tasksBefore?: number | undefined;
  readonly step: string;
  readonly channel: number;
  readonly channels: number;
  readonly memoryBytes: number;
  /** How many timers may be pending. */
  readonly timersMax: number;
  readonly files: FileSystem;
  readonly spill: Disk;
  readonly datasets: DatasetShelf;
  readonly clock: Clock;
  /** Seeds what is drawn in the step. */
  readonly seed: number;
  /** The time that user code is told before the first task: the same in all lives of all channels. */
  readonly openedAt: number;
  readonly metrics: ChannelMetrics;
}

/** The context of a channel: one object for its whole life, moved on from task to task. */
export class ChannelContext implements OperatorContext {
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
  /** False in a loop, whose channels end together. */
  mayStop = true;
  /** Whether the step is an operator that is told when a timer goes off. */
  hasOnTimer = false;
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #tasksBefore: number;
  readonly #metrics: ChannelMetrics;
  readonly #timersMax: number;
  #timers: ChannelTimers | undefined;
  /** True while user code runs that may set timers: in a task, and before the first one. */
  #inside = true;
  /** What functions on edges see: what they draw doesn't depend on how far a generator has run ahead of them. */
  readonly edge: EdgeContext;
  #taskNow: number | undefined;
  #now: number;
  #random: Random | undefined;
  /** Tells what is drawn from what else the channel draws: nothing yet for what is drawn before the first task. */
  #drawKey: readonly number[] = [];
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
    this.#now = parts.openedAt;
    this.#taskNow = parts.openedAt;
    this.#tasksBefore = parts.tasksBefore ?? 0;
    this.#metrics = parts.metrics;
    this.#timersMax = parts.timersMax;
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
   * @param drawKey - tells what it draws from what other work of the channel draws: the same on replay
   * @param now - when it started, if that was in an earlier life
   */
  enter(drawKey: readonly number[], now: number = this.taskNow): void {
    this.#now = now;
    this.#inside = true;
    this.drawAnew(drawKey);
  }

  /** The task is over, and no other goes on with what it was at. */
  leave(): void {
    this.#inside = false;
  }

  /** User code goes on from where another life may start on it: from here on both draw the same. */
  drawAnew(drawKey: readonly number[]): void {
    this.#random = undefined;
    this.#drawKey = drawKey;
  }

  /** Milliseconds since 1970, fixed for the task. */
  get taskNow(): number {
    this.#taskNow ??= this.#clock.now();
    return this.#taskNow;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    this.#random ??= this.#generator(...this.#drawKey);
    return this.#random();
  }

  edgeRandom(): number {
    this.#edgeRandom ??= this.#generator(~this.seq);
    return this.#edgeRandom();
  }

  #generator(...drawKey: readonly number[]): Random {
    return keyedRandom(this.#seed, this.channel, ...drawKey);
  }

  stop(): void {
    if (!this.mayStop) throw stopsAlone();
    this.stopped = true;
  }

  get timers(): ChannelTimers {
    this.#timers ??= new ChannelTimers({
      clock: this.#clock,
      max: this.#timersMax,
      now: () => this.#now,
      refuse: () => refuseTimers(this.hasOnTimer, this.#inside),
    });
    return this.#timers;
  }

  /** The timers, if any was ever set. */
  get pendingTimers(): ChannelTimers | undefined {
    return this.#timers;
  }

  /** Goes on with what a checkpoint says of timers: those that were set in `open` are of a channel that begins. */
  restoreTimers(timers: readonly TimerChange[] = []): void {
    this.#timers?.restore([]);
    if (timers.length > 0) this.changeTimers(timers);
  }

  /** Takes what a checkpoint of changes says of timers. */
  changeTimers(changes: readonly TimerChange[]): void {
    const [first] = changes;
    if (first !== undefined && !this.hasOnTimer) throw nobodyToTell(first[0]);
    this.timers.apply(changes);
  }

  /** A timer goes off in the task that runs now, which is no earlier than it was set for, whatever the clock says. */
  goOff(name: string): void {
    const at = this.#timers?.goOff(name);
    if (at === undefined) throw differs(`had no timer "${name}" that could go off`, "was caused by it");
    this.#taskNow ??= Math.max(at, this.#clock.now());
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

function stopsAlone(): QStreamError {
  return new QStreamError("UNSUPPORTED", "ctx.stop() was called in a loop, whose channels end together", {
    advice: "Let until say that it is enough, by what the channels vote, or feed nothing back",
  });
}
