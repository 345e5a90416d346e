import { createHash } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "../../lib/core/seam/make-folder.ts";

/** Checkpoints up to this many bytes are kept in the database itself. */
const inlineBytesMax = 64 * 1024;
const headBytes = 13;
const inFile = 1;

/** Of which channel a checkpoint is. */
export interface CheckpointPlace {
  readonly execution: string;
  readonly channel: number;
  readonly generation: number;
  readonly seq: number;
}

/**
 * The checkpoints of an embedded store: small ones as bytes, large ones as files beside the database. What the database keeps of
 * one is 8 bits whether it is in a file, 32 bits CRC, 64 bits length; then the bytes, or the name of the file.
 */
export class CheckpointFiles {
  readonly #folder: string;
  readonly #flush: boolean;
  #written = 0;

  constructor(folder: string, flush: boolean) {
    this.#folder = folder;
    this.#flush = flush;
  }

  /** Returns what the database is to keep. A file is whole before this is settled. */
  async save({ execution, channel, generation, seq }: CheckpointPlace, bytes: Uint8Array): Promise<Uint8Array> {
    const head = headOf(bytes, bytes.byteLength > inlineBytesMax);
    if (bytes.byteLength <= inlineBytesMax) return Buffer.concat([head, bytes]);
    // Other bytes make another file: what the database says is true of the file that it names at any moment.
    const name = `${channel}-${seq}-${generation}-${crcIn(head).toString(16)}`;
    const folder = this.#folderOf(execution);
    await makeFolder(folder);
    const temporary = join(folder, `${name}-${process.pid}-${++this.#written}.part`);
    try {
      await this.#write(temporary, bytes);
      await rename(temporary, join(folder, name));
      if (this.#flush) await flushFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return Buffer.concat([head, Buffer.from(name)]);
  }

  /** The checkpoint's bytes, or undefined if they aren't those that were saved. */
  async load(execution: string, kept: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = kept[0] === inFile ? await this.#read(this.#pathOf(execution, kept)) : kept.slice(headBytes);
    if (bytes === undefined) return undefined;
    const whole = Buffer.compare(headOf(bytes, kept[0] === inFile), kept.subarray(0, headBytes)) === 0;
    return whole ? bytes : undefined;
  }

  /** Removes a file, unless it is what the database keeps by now. */
  async remove(execution: string, kept: Uint8Array, now?: Uint8Array): Promise<void> {
    if (kept[0] !== inFile || (now !== undefined && Buffer.compare(kept, now) === 0)) return;
    await rm(this.#pathOf(execution, kept), { force: true });
  }

  /** Removes all files of a channel's checkpoints before `seq`, also those that a process left which ended while it wrote. */
  async removeBefore(execution: string, channel: number, seq: number): Promise<void> {
    const folder = this.#folderOf(execution);
    for (const name of await namesIn(folder)) {
      const [ofChannel, ofSeq] = name.split("-").map(Number);
      // oxlint-disable-next-line no-await-in-loop -- one or two
      if (ofChannel === channel && (ofSeq ?? seq) < seq) await rm(join(folder, name), { force: true });
    }
  }

  async drop(execution: string): Promise<void> {
    await rm(this.#folderOf(execution), { recursive: true, force: true });
  }

  async bytesHeld(): Promise<number> {
    let bytes = 0;
    for (const folder of await namesIn(this.#folder)) {
      // oxlint-disable-next-line no-await-in-loop -- for metrics: no haste
      for (const name of await namesIn(join(this.#folder, folder))) {
        // oxlint-disable-next-line no-await-in-loop -- see above
        const found = await stat(join(this.#folder, folder, name)).catch(() => undefined);
        bytes += found?.size ?? 0;
      }
    }
    return bytes;
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const handle = await open(path, "w", 0o600);
    try {
      await handle.writeFile(bytes);
      if (this.#flush) await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #read(path: string): Promise<Uint8Array | undefined> {
    try {
      const read = await readFile(path);
      // A file of some size has a buffer of its own, which needs no copy.
      return read.byteLength === read.buffer.byteLength ? new Uint8Array(read.buffer) : new Uint8Array(read);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #pathOf(execution: string, kept: Uint8Array): string {
    return join(this.#folderOf(execution), new TextDecoder().decode(kept.subarray(headBytes)));
  }

  /** A hash: an execution's id is anything, and names a folder here. */
  #folderOf(execution: string): string {
    return join(this.#folder, createHash("sha256").update(execution).digest("hex").slice(0, 32));
  }
}

function headOf(bytes: Uint8Array, isInFile: boolean): Uint8Array {
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  view.setUint8(0, isInFile ? inFile : 0);
  view.setUint32(1, crc32(bytes), true);
  view.setBigUint64(5, BigInt(bytes.byteLength), true);
  return head;
}

function crcIn(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset).getUint32(1, true);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The name of a file is durable when its folder is. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
