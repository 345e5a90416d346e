import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { BlobFolder } from "./blob-folder.ts";

/** Of which life of which channel a checkpoint is, and after which task it was taken. */
export interface CheckpointName {
  readonly execution: string;
  readonly channel: number;
  readonly generation: number;
  readonly seq: number;
}

/** What a store keeps of a checkpoint that is elsewhere. */
export interface BlobPointer {
  /** The place as it was when the checkpoint was written. */
  readonly place: string;
  /** Path within the place. */
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
}

/** Begins what is kept in the store of a checkpoint that is elsewhere; no encoded checkpoint begins so. */
const mark = Buffer.from("qstream-blob/1\n");

/** Writes a checkpoint to a place. Returns the pointer that the store is to keep: what it says is true once this is settled. */
export async function writeBlob(folder: BlobFolder, of: CheckpointName, bytes: Uint8Array): Promise<Uint8Array> {
  const { execution, channel, generation, seq } = of;
  // Other bytes make another file, and a repeated call the same: a pointer is true at any moment.
  const crc = crc32(bytes);
  const name = `${folderOf(execution, channel)}/${seq}-${generation}-${crc.toString(16)}-${bytes.byteLength}`;
  await folder.write(name, bytes);
  const pointer: BlobPointer = { place: folder.path, name, bytes: bytes.byteLength, crc32: crc };
  return new Uint8Array(Buffer.concat([mark, Buffer.from(JSON.stringify(pointer))]));
}

/** The checkpoint that a pointer leads to, or undefined where there is none, or none that is whole. */
export async function readBlob(folder: BlobFolder, pointer: BlobPointer): Promise<Uint8Array | undefined> {
  const bytes = await folder.read(pointer.name, pointer.bytes);
  return bytes !== undefined && crc32(bytes) === pointer.crc32 ? bytes : undefined;
}

/** The pointer in what a store keeps; undefined for a checkpoint itself, and for a pointer that is damaged. */
export function pointerIn(kept: Uint8Array): BlobPointer | undefined {
  if (!isPointer(kept)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(kept.subarray(mark.byteLength))) as BlobPointer;
  } catch {
    return undefined;
  }
}

export function isPointer(kept: Uint8Array): boolean {
  return kept.byteLength >= mark.byteLength && mark.equals(kept.subarray(0, mark.byteLength));
}

/** The folder of an execution's blobs within a place. A hash: an execution's id is anything. */
export function hashOf(execution: string): string {
  return createHash("sha256").update(execution).digest("hex").slice(0, 32);
}

/** The folder of a channel's blobs within a place. */
export function folderOf(execution: string, channel: number): string {
  return `${hashOf(execution)}/${channel}`;
}
