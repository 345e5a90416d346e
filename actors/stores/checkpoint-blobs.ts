import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
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
import { BlobFolder } from "./blob-folder.ts";

/** Where large checkpoints are kept beside a store. */
export interface CheckpointPlace {
  /** A folder, or `s3://bucket/prefix`. Nothing else is kept there. */
  readonly path: string;
  readonly files: FileSystem;
  /** Checkpoints above this many bytes are kept there, the others in the store. Default 256 KiB. */
  readonly storeBytesMax?: number;
}

/** What the store keeps of a checkpoint that is elsewhere. */
interface Pointer {
  /** For people: the place as it was when the checkpoint was written. */
  readonly place: string;
  /** Path within the place. */
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
}

const storeBytesDefault = 256 * 1024;
/** Begins what is kept in the store of a checkpoint that is elsewhere; no encoded checkpoint begins so. */
const mark = Buffer.from("qstream-blob/1\n");

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
    // Nothing is uploaded for an execution that is gone, or a generation that is shut out.
    const progress = await this.#store.progress(execution, channel);
    if (progress.generation !== generation) return "fenced";
    // Other bytes make another file, and a repeated call the same: a pointer is true at any moment.
    const crc = crc32(bytes);
    const name = `${folderOf(execution, channel)}/${seq}-${generation}-${crc.toString(16)}-${bytes.byteLength}`;
    await folder.write(name, bytes);
    const pointer = encodePointer({ place: folder.path, name, bytes: bytes.byteLength, crc32: crc });
    const answer = await this.#store
      .saveCheckpoint(execution, channel, generation, seq, pointer)
      .catch(async (error) => {
        if (error instanceof QStreamError && isFinal(error)) await folder.remove([name]);
        throw error;
      });
    await this.#removeUnneeded(folder, execution, channel, seq);
    return answer;
  }

  async loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    const kept = await this.#store.loadCheckpoint(execution, channel, seq);
    if (kept === undefined || !isPointer(kept)) return kept;
    const pointer = decodePointer(kept);
    if (pointer === undefined) return undefined;
    if (this.#folder === undefined) throw placeUnknown(pointer, channel, seq);
    const bytes = await this.#folder.read(pointer.name, pointer.bytes);
    return bytes !== undefined && crc32(bytes) === pointer.crc32 ? bytes : undefined;
  }

  fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    return this.#store.fence(execution, channels);
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    await this.#store.free(execution, channel, recordsThrough, checkpointsBefore);
    await this.#folder?.removeWhere(folderOf(execution, channel), (name) => seqOf(name) < checkpointsBefore);
  }

  countFailure(execution: string, channel: number, seq: number): Promise<number> {
    return this.#store.countFailure(execution, channel, seq);
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

  /** Removes the blobs of a seq but for the one that the store names: those of what was replaced, refused or freed meanwhile. */
  async #removeUnneeded(folder: BlobFolder, execution: string, channel: number, seq: number): Promise<void> {
    const kept = await this.#store.loadCheckpoint(execution, channel, seq);
    const named = kept === undefined || !isPointer(kept) ? undefined : decodePointer(kept)?.name;
    const path = folderOf(execution, channel);
    await folder.removeWhere(path, (name) => seqOf(name) === seq && `${path}/${name}` !== named);
  }
}

/** A hash: an execution's id is anything, and names a folder here. */
function hashOf(execution: string): string {
  return createHash("sha256").update(execution).digest("hex").slice(0, 32);
}

function folderOf(execution: string, channel: number): string {
  return `${hashOf(execution)}/${channel}`;
}

function seqOf(name: string): number {
  return Number.parseInt(name, 10);
}

/** What repeating the call doesn't help against: the pointer was not written, nor will it be. */
function isFinal({ code }: QStreamError): boolean {
  return code === "EXECUTION_UNKNOWN" || code === "INTERNAL";
}

function isPointer(bytes: Uint8Array): boolean {
  return bytes.byteLength >= mark.byteLength && mark.equals(bytes.subarray(0, mark.byteLength));
}

function encodePointer(pointer: Pointer): Uint8Array {
  return new Uint8Array(Buffer.concat([mark, Buffer.from(JSON.stringify(pointer))]));
}

function decodePointer(bytes: Uint8Array): Pointer | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(mark.byteLength))) as Pointer;
  } catch {
    return undefined;
  }
}

function placeUnknown({ place }: Pointer, channel: number, seq: number): QStreamError {
  return new QStreamError("STORE_REFUSED", `a checkpoint is kept in ${place}, and the session names no such place`, {
    channel,
    seq,
    advice: `Name it: --checkpoints ${place}, or local({ checkpoints: ${JSON.stringify(place)} })`,
  });
}
