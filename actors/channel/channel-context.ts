import type { Context } from "../../lib/core/contracts/context.ts";
import type { DatasetShelf } from "../../lib/core/dataset-shelf.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";

export interface ChannelContextParts {
  readonly execution: string;
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
  readonly #metrics: ChannelMetrics;
  #now: number | undefined;
  #random: Random | undefined;

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
    this.#metrics = parts.metrics;
    // They are handed to user code, which may take them off the object.
    this.random = this.random.bind(this);
    this.now = this.now.bind(this);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  begin(seq: number): void {
    this.seq = seq;
    this.#now = undefined;
    this.#random = undefined;
  }

  now(): number {
    this.#now ??= this.#clock.now();
    return this.#now;
  }

  random(): number {
    this.#random ??= seededRandom(Math.imul(this.#seed ^ this.seq, 0x9e3779b1) ^ (this.channel << 16));
    return this.#random();
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
