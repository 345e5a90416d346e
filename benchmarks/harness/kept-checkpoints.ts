import { closeSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** A checkpoint that was in the store at some time. */
export interface KeptCheckpoint {
  readonly execution: string;
  /** Number of its channel within the execution. */
  readonly channel: number;
  readonly seq: number;
  readonly read: () => Uint8Array;
}

/** A checkpoint that is a file of a store now. */
interface CheckpointFile {
  readonly path: string;
  readonly execution: string;
  readonly channel: number;
  readonly seq: number;
}

const everyMs = 20;

/** Keeps the files of all checkpoints that a store makes in its folder, also of those that it frees again, by links. */
export class CheckpointKeeper {
  readonly #store: string;
  readonly #folder: string;
  readonly #kept = new Map<string, KeptCheckpoint>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: string) {
    this.#store = store;
    this.#folder = join(store, "kept");
    mkdirSync(this.#folder);
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** Those of large states, which are files; in order of executions, channels and seqs. */
  stop(): readonly KeptCheckpoint[] {
    clearInterval(this.#timer);
    return [...this.#kept.values()].toSorted(
      (left, right) =>
        left.execution.localeCompare(right.execution) || left.channel - right.channel || left.seq - right.seq,
    );
  }

  #look(): void {
    for (const { path, ...place } of checkpointFiles(this.#store)) {
      if (this.#kept.has(path)) continue;
      const kept = join(this.#folder, String(this.#kept.size));
      try {
        linkSync(path, kept);
        this.#kept.set(path, { ...place, read: () => new Uint8Array(readFileSync(kept)) });
      } catch (error) {
        // It was freed while we looked.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
}

/**
 * The most bytes of state that each channel has saved, by the channel's number, once it is told to stop: those of a whole
 * checkpoint, with the changes on top of it.
 */
export function watchCheckpointSizes(store: string): { readonly stop: () => ReadonlyMap<number, number> } {
  const sizes = new Map<string, number>();
  const largest = new Map<number, number>();
  const look = (): void => {
    for (const { path, channel, seq } of checkpointFiles(store).toSorted((left, right) => left.seq - right.seq)) {
      const name = `${channel} ${seq}`;
      const known = statSync(path, { throwIfNoEntry: false });
      if (known === undefined || sizes.has(name)) continue;
      const previous = previousOf(path);
      const bytes = known.size + (previous === undefined ? 0 : (sizes.get(`${channel} ${previous}`) ?? 0));
      sizes.set(name, bytes);
      largest.set(channel, Math.max(largest.get(channel) ?? 0, bytes));
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

const headBytesMax = 64 * 1024;

/** Seq of the checkpoint that one stands on, from its head; undefined for one that holds all of the state. */
function previousOf(path: string): number | undefined {
  const bytes = Buffer.alloc(headBytesMax);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, headBytesMax, 0);
  } finally {
    closeSync(file);
  }
  const head = JSON.parse(bytes.toString("utf8", 4, 4 + bytes.readUInt32LE(0))) as readonly unknown[];
  return (head[2] as readonly [base: number, previous: number] | undefined)?.[1];
}

/** Those that the store wrote (checkpoints/EXECUTION/CHANNEL-SEQ-...), and the larger ones of slots (blobs/EXECUTION/CHANNEL/SEQ-...). */
function checkpointFiles(store: string): CheckpointFile[] {
  const files: CheckpointFile[] = [];
  const own = join(store, "checkpoints");
  for (const execution of namesIn(own)) {
    for (const name of namesIn(join(own, execution))) {
      const [channel = -1, seq = -1] = name.split("-").map(Number);
      if (!name.endsWith(".part")) files.push({ path: join(own, execution, name), execution, channel, seq });
    }
  }
  const blobs = join(store, "blobs");
  for (const execution of namesIn(blobs)) {
    for (const channel of namesIn(join(blobs, execution))) {
      const folder = join(blobs, execution, channel);
      for (const name of namesIn(folder)) {
        const place = { execution, channel: Number(channel), seq: Number.parseInt(name, 10) };
        if (!name.startsWith(".")) files.push({ path: join(folder, name), ...place });
      }
    }
  }
  return files;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
