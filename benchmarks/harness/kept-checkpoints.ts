import { linkSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** A checkpoint that was in the store at some time. */
export interface KeptCheckpoint {
  readonly execution: string;
  /** Number of its channel within the execution. */
  readonly channel: number;
  readonly seq: number;
  readonly read: () => Uint8Array;
}

const everyMs = 20;

/** Keeps the files of all checkpoints that a store makes in its folder, also of those that it frees again, by links. */
export class CheckpointKeeper {
  readonly #store: string;
  readonly #kept: string;
  readonly #timer: NodeJS.Timeout;

  constructor(store: string) {
    this.#store = join(store, "checkpoints");
    this.#kept = join(store, "kept");
    mkdirSync(this.#kept);
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** Those of large states, which are files; in order of executions, channels and seqs. */
  stop(): readonly KeptCheckpoint[] {
    clearInterval(this.#timer);
    return readdirSync(this.#kept)
      .map((name) => {
        const [execution = "", place = ""] = name.split("~");
        const [channel = -1, seq = -1] = place.split("-").map(Number);
        return { execution, channel, seq, read: () => new Uint8Array(readFileSync(join(this.#kept, name))) };
      })
      .toSorted(
        (left, right) =>
          left.execution.localeCompare(right.execution) || left.channel - right.channel || left.seq - right.seq,
      );
  }

  #look(): void {
    for (const execution of namesIn(this.#store)) {
      const folder = join(this.#store, execution);
      const known = new Set(readdirSync(this.#kept));
      for (const name of namesIn(folder)) {
        const kept = `${execution}~${name}`;
        if (known.has(kept) || name.endsWith(".part")) continue;
        try {
          linkSync(join(folder, name), join(this.#kept, kept));
        } catch (error) {
          // It was freed while we looked.
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
      }
    }
  }
}

/** The largest checkpoint that each channel has had as a file, by the channel's number, once it is told to stop. */
export function watchCheckpointSizes(store: string): { readonly stop: () => ReadonlyMap<number, number> } {
  const folder = join(store, "checkpoints");
  const largest = new Map<number, number>();
  const look = (): void => {
    for (const name of namesIn(folder).flatMap((execution) =>
      namesIn(join(folder, execution)).map((file) => join(execution, file)),
    )) {
      const channel = Number(basename(name).split("-")[0]);
      const bytes = statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
      if (!name.endsWith(".part")) largest.set(channel, Math.max(largest.get(channel) ?? 0, bytes));
    }
  };
  const timer = setInterval(look, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return largest;
    },
  };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
