import { QStreamError } from "./errors.ts";
import type { Payload } from "./payload.ts";
import type { Clock } from "./seam/clock.ts";

/** Parcels of one channel of a dataset's sink. */
export interface ShelvedPart {
  readonly dataset: string;
  readonly channel: number;
  readonly payloads: readonly Payload[];
  readonly rows: number;
  readonly bytes: number;
}

/** How much a slot keeps that others may use, and for how long at least. */
export interface ShelfLimits {
  readonly bytesMax: number;
  /** Milliseconds for which nobody has used a part, after which it may go where room is needed. */
  readonly idleMs: number;
  readonly clock: Pick<Clock, "monotonic">;
}

interface Kept extends ShelvedPart {
  usedAt: number;
}

/** The datasets of a slot: encoded parcels, kept in memory where they were made until they are released. */
export class DatasetShelf {
  /** The slot that the shelf belongs to. */
  readonly slot: string;
  readonly #limits: ShelfLimits | undefined;
  readonly #parts = new Map<string, Kept>();
  readonly #executions = new Map<string, Set<string>>();

  /** @param limits - undefined: each sink has its own limit, and its session ends with all of them */
  constructor(slot: string, limits?: ShelfLimits) {
    this.slot = slot;
    this.#limits = limits;
  }

  /** Bytes that one more part may have: what is free, and what nobody has used for long. */
  get room(): number {
    if (this.#limits === undefined) return Infinity;
    let room = this.#limits.bytesMax;
    for (const part of this.#parts.values()) if (!this.#isIdle(part)) room -= part.bytes;
    return room;
  }

  /** @throws QStreamError LIMIT_EXCEEDED where the slot keeps too much already */
  put(execution: string, part: ShelvedPart): void {
    const key = keyOf(part.dataset, part.channel);
    this.#parts.delete(key);
    this.checkRoom(part.bytes);
    this.#forgetIdle(part.bytes);
    this.#parts.set(key, { ...part, usedAt: this.#now });
    const keys = this.#executions.get(execution) ?? new Set();
    keys.add(key);
    this.#executions.set(execution, keys);
  }

  /** @throws QStreamError LIMIT_EXCEEDED where a part with so many bytes couldn't be kept */
  checkRoom(bytes: number): void {
    const { room } = this;
    if (bytes <= room) return;
    const limit = this.#limits?.bytesMax ?? 0;
    throw new QStreamError(
      "LIMIT_EXCEEDED",
      `${this.slot} has room for ${Math.max(0, room)} more bytes of datasets, of ${limit}`,
      { advice: "Release datasets, start the machine's worker with more --datasets, or write files" },
    );
  }

  get(dataset: string, channel: number): ShelvedPart {
    const part = this.#parts.get(keyOf(dataset, channel));
    if (part !== undefined) {
      part.usedAt = this.#now;
      return part;
    }
    throw new QStreamError(
      "DATASET_RELEASED",
      `dataset ${dataset} isn't here any more: it was released, or its session closed`,
    );
  }

  release(dataset: string): void {
    for (const key of this.#parts.keys()) if (key.startsWith(`${dataset}#`)) this.#parts.delete(key);
  }

  /** Forgets what an execution that failed has put. */
  drop(execution: string): void {
    for (const key of this.#executions.get(execution) ?? []) this.#parts.delete(key);
    this.#executions.delete(execution);
  }

  /** An execution succeeded: its parts stay until they are released. */
  keep(execution: string): void {
    this.#executions.delete(execution);
  }

  get #now(): number {
    return this.#limits?.clock.monotonic() ?? 0;
  }

  #isIdle({ usedAt }: Kept): boolean {
    return this.#limits !== undefined && this.#now - usedAt > this.#limits.idleMs;
  }

  /** Makes room of what nobody has used for long, oldest first, as far as need be. */
  #forgetIdle(bytes: number): void {
    if (this.#limits === undefined) return;
    let kept = 0;
    for (const part of this.#parts.values()) kept += part.bytes;
    const idle = [...this.#parts].filter(([, part]) => this.#isIdle(part));
    for (const [key, part] of idle.toSorted(([, left], [, right]) => left.usedAt - right.usedAt)) {
      if (kept + bytes <= this.#limits.bytesMax) return;
      this.#parts.delete(key);
      kept -= part.bytes;
    }
  }
}

function keyOf(dataset: string, channel: number): string {
  return `${dataset}#${channel}`;
}
