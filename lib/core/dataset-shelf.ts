import { QStreamError } from "./errors.ts";
import type { Payload } from "./payload.ts";

/** Parcels of one channel of a dataset's sink. */
export interface ShelvedPart {
  readonly dataset: string;
  readonly channel: number;
  readonly payloads: readonly Payload[];
  readonly rows: number;
  readonly bytes: number;
}

/** The datasets of a slot: encoded parcels, kept in memory where they were made until they are released. */
export class DatasetShelf {
  /** The slot that the shelf belongs to. */
  readonly slot: string;
  readonly #parts = new Map<string, ShelvedPart>();
  readonly #executions = new Map<string, Set<string>>();

  constructor(slot: string) {
    this.slot = slot;
  }

  put(execution: string, part: ShelvedPart): void {
    const key = keyOf(part.dataset, part.channel);
    this.#parts.set(key, part);
    const keys = this.#executions.get(execution) ?? new Set();
    keys.add(key);
    this.#executions.set(execution, keys);
  }

  get(dataset: string, channel: number): ShelvedPart {
    const part = this.#parts.get(keyOf(dataset, channel));
    if (part !== undefined) return part;
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
}

function keyOf(dataset: string, channel: number): string {
  return `${dataset}#${channel}`;
}
