import { crc32 } from "node:zlib";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { fingerprintOf } from "../../../lib/core/fingerprint.ts";
import type { HeldRows } from "./format.ts";
import { decodeRows, encodeRows } from "./row-bytes.ts";

/** Where the rows of a file that is being made are kept: in files of their own, and the last few in the state itself. */
export interface HeldState {
  /** Bytes that the encoder counted for all rows. */
  readonly heldBytes: number;
  readonly files: readonly RowsFile[];
  readonly rest: Uint8Array;
}

interface RowsFile {
  readonly path: string;
  /** Objects and batches in it: what came from the nth one to before the mth. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly checksum: number;
}

const restBytesMax = 64 << 10;

/**
 * Saves the rows that a format keeps until the end of a file, each only once. A file of rows is named by a hash of what is in it,
 * so whoever writes it writes the same: a life that goes on late, and took other tasks than the newer one, can't damage what
 * that needs.
 */
export class HeldJournal {
  readonly #files: FileSystem;
  readonly #pathOf: (rows: string) => string;
  #saved: RowsFile[] = [];

  /** @param pathOf - gives the path of rows by what tells them from others */
  constructor(files: FileSystem, pathOf: (rows: string) => string) {
    this.#files = files;
    this.#pathOf = pathOf;
  }

  /** Files that nobody needs once no checkpoint refers to them. */
  get paths(): readonly string[] {
    return this.#saved.map((file) => file.path);
  }

  async save(held: HeldRows, heldBytes: number): Promise<HeldState> {
    const from = this.#saved.at(-1)?.to ?? 0;
    const to = held.objects.length + held.batches.length;
    // Of a stream that mixes objects and batches no file can be made: how its rows are numbered doesn't matter.
    const rest = encodeRows(held.objects.slice(from), held.batches.slice(Math.max(0, from - held.objects.length)));
    if (rest.byteLength <= restBytesMax) return { heldBytes, files: [...this.#saved], rest };
    const path = this.#pathOf(`${from}-${to}-${fingerprintOf(rest)}`);
    const writer = await this.#files.create(path);
    try {
      await writer.write(rest);
      await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    this.#saved.push({ path, from, to, bytes: rest.byteLength, checksum: crc32(rest) });
    return { heldBytes, files: [...this.#saved], rest: new Uint8Array(0) };
  }

  /** Gives the encoder the rows again, and goes on from there. @throws QStreamError NOT_RECOVERABLE */
  async restore(state: HeldState, held: HeldRows): Promise<void> {
    const objects: unknown[] = [];
    const batches: unknown[] = [];
    const support = await loadBatches();
    const take = (bytes: Uint8Array): void => {
      const rows = decodeRows(bytes, support);
      for (const object of rows.objects) objects.push(object);
      for (const batch of rows.batches) batches.push(batch);
    };
    // oxlint-disable-next-line no-await-in-loop -- in the order of their rows
    for (const file of state.files) take(await this.#read(file));
    take(state.rest);
    this.#saved = [...state.files];
    held.restore(objects, batches, state.heldBytes);
  }

  async #read({ path, bytes, checksum }: RowsFile): Promise<Uint8Array> {
    let read: Uint8Array;
    try {
      const file = await this.#files.open(path);
      try {
        read = await file.read(0, bytes);
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw lost(path, "can't be read", cause);
    }
    if (read.byteLength === bytes && crc32(read) === checksum) return read;
    throw lost(path, "isn't what the checkpoint says", undefined);
  }
}

function lost(file: string, what: string, cause: unknown): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `rows that a sink had kept in a temporary file are lost: it ${what}`, {
    file,
    advice: "Run the flow again from its start, and leave hidden files of a running execution alone.",
    ...(cause === undefined ? {} : { cause }),
  });
}
