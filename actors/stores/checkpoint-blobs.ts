import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { BlobPlace } from "../../lib/core/contracts/lineage.ts";
import { BlobFolder } from "./blob-folder.ts";
import {
  folderOf,
  hashOf,
  isPointer,
  pointerIn,
  readBlob,
  writeBlob,
  type BlobPointer,
  type CheckpointName,
} from "./blob-pointer.ts";

/** Where large checkpoints are kept beside a store. */
export interface CheckpointPlace {
  /** A folder, or `s3://bucket/prefix`. Nothing else is kept there. */
  readonly path: string;
  readonly files: FileSystem;
  /** Checkpoints above this many bytes are kept there, the others in the store. Default 256 KiB. */
  readonly storeBytesMax?: number;
}

const storeBytesDefault = 256 * 1024;
/**
 * A lineage store whose large checkpoints are files or objects in another place: the store keeps a pointer with length and
 * CRC-32. A blob is whole before the pointer is written, and removed after the pointer is: what a crash leaves is an orphan at
 * most, below the folder of its execution, and goes with that. Everything else is the store's own.
 */
export class CheckpointBlobs implements LineageStore {
  readonly kind: string;
  readonly #store: LineageStore;
  readonly #folder: BlobFolder | undefined;
  readonly #storeBytesMax: number;

  /** Without a place nothing is written elsewhere, and a checkpoint that is elsewhere is STORE_REFUSED. */
  constructor(store: LineageStore, place?: CheckpointPlace) {
    this.kind = store.kind;
    this.#store = store;
    this.#folder = place === undefined ? undefined : new BlobFolder(place.path, place.files);
    this.#storeBytesMax = place?.storeBytesMax ?? storeBytesDefault;
  }

  get blobs(): BlobPlace | undefined {
    return this.#folder === undefined ? undefined : { path: this.#folder.path, storeBytesMax: this.#storeBytesMax };
  }

  create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    return this.#store.create(execution, description, channels, createdAt);
  }

  find(execution: string): Promise<StoredExecution | undefined> {
    return this.#store.find(execution);
  }

  list(): Promise<readonly StoredExecution[]> {
    return this.#store.list();
  }

  setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    return this.#store.setStatus(execution, status);
  }

  async drop(execution: string): Promise<void> {
    await this.#store.drop(execution);
    await this.#folder?.removeAll(hashOf(execution));
  }

  commit(execution: string, commits: readonly ChannelCommit[]): Promise<readonly CommitAnswer[]> {
    return this.#store.commit(execution, commits);
  }

  read(
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ): Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]> {
    return this.#store.read(execution, channel, afterSeq, max);
  }

  async saveCheckpoint(
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ): Promise<CommitAnswer> {
    const folder = this.#folder;
    if (folder === undefined || (bytes.byteLength <= this.#storeBytesMax && !isPointer(bytes))) {
      return this.#store.saveCheckpoint(execution, channel, generation, seq, bytes);
    }
    if (!isPointer(bytes)) {
      // Nothing is uploaded for an execution that is gone, or a generation that is shut out.
      const progress = await this.#store.progress(execution, channel);
      if (progress.generation !== generation) return "fenced";
    }
    const kept = isPointer(bytes) ? bytes : await writeBlob(folder, { execution, channel, generation, seq }, bytes);
    const name = pointerIn(kept)?.name ?? "";
    folder.note(name);
    const answer = await this.#store.saveCheckpoint(execution, channel, generation, seq, kept).catch(async (error) => {
      if (error instanceof QStreamError && isFinal(error)) await folder.remove([name]);
      throw error;
    });
    await this.#removeUnneeded(folder, { execution, channel, generation, seq });
    return answer;
  }

  async loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    const kept = await this.#store.loadCheckpoint(execution, channel, seq);
    if (kept === undefined || !isPointer(kept)) return kept;
    const pointer = pointerIn(kept);
    if (pointer === undefined) return undefined;
    if (this.#folder === undefined) throw placeUnknown(pointer, channel, seq);
    return readBlob(this.#folder, pointer);
  }

  findCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    return this.#store.loadCheckpoint(execution, channel, seq);
  }

  fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    return this.#store.fence(execution, channels);
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    await this.#store.free(execution, channel, recordsThrough, checkpointsBefore);
    await this.#folder?.removeWhere(folderOf(execution, channel), (name) => seqOf(name) < checkpointsBefore);
  }

  countFailure(execution: string, channel: number, seq: number, cause: string): Promise<number> {
    return this.#store.countFailure(execution, channel, seq, cause);
  }

  progress(execution: string, channel: number): Promise<ChannelProgress> {
    return this.#store.progress(execution, channel);
  }

  async bytesHeld(): Promise<number> {
    return (await this.#store.bytesHeld()) + ((await this.#folder?.bytesHeld()) ?? 0);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /**
   * Removes the blobs of a seq but for the one that the store names: those of what was replaced, refused or freed meanwhile.
   * A later generation may have written its own, whose pointer is on its way: that is left to it.
   */
  async #removeUnneeded(folder: BlobFolder, { execution, channel, generation, seq }: CheckpointName): Promise<void> {
    const kept = await this.#store.loadCheckpoint(execution, channel, seq);
    const named = kept === undefined ? undefined : pointerIn(kept)?.name;
    const path = folderOf(execution, channel);
    await folder.removeWhere(path, (name) => {
      return seqOf(name) === seq && generationOf(name) <= generation && `${path}/${name}` !== named;
    });
  }
}

function seqOf(name: string): number {
  return Number.parseInt(name, 10);
}

function generationOf(name: string): number {
  return Number.parseInt(name.slice(name.indexOf("-") + 1), 10);
}

/** What repeating the call doesn't help against: the pointer was not written, nor will it be. */
function isFinal({ code }: QStreamError): boolean {
  return code === "EXECUTION_UNKNOWN" || code === "INTERNAL";
}

function placeUnknown({ place }: BlobPointer, channel: number, seq: number): QStreamError {
  return new QStreamError("STORE_REFUSED", `a checkpoint is kept in ${place}, and the session names no such place`, {
    channel,
    seq,
    advice: `Name it: --checkpoints ${place}, or local({ checkpoints: ${JSON.stringify(place)} })`,
  });
}
