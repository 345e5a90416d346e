import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { codeOf, noSpace } from "../core/seam/make-folder.ts";
import { PartWriter } from "./part-writer.ts";

/** What a later life needs to go on with a local file. */
export interface LocalFileState {
  /** Name of the temporary file, beside the final one. */
  readonly temporary: string;
  /** Bytes written, and their CRC-32. */
  readonly bytes: number;
  readonly checksum: number;
  readonly finished: boolean;
}

export interface LocalWriterParts {
  readonly path: string;
  readonly temporary: string;
  /** None for a file that an earlier life finished. */
  readonly handle: FileHandle | undefined;
  /** What is in the file already. */
  readonly written?: { readonly bytes: number; readonly checksum: number };
}

const writeBytes = 256 << 10;

/** Runs an action that writes; what goes wrong is named with the file. @throws QStreamError LIMIT_EXCEEDED, BAD_INPUT */
export async function guardWrite<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof QStreamError) throw error;
    const code = codeOf(error);
    if (noSpace(code)) {
      throw new QStreamError("LIMIT_EXCEEDED", "no space is left to write the file", {
        file: path,
        advice: "Free space there, or write to another folder.",
        cause: error,
      });
    }
    throw new QStreamError("BAD_INPUT", `the file can't be written: ${code ?? String(error)}`, {
      file: path,
      advice: "Check that its folder can be made and written.",
      cause: error,
    });
  }
}

/** Writes a file under a temporary name beside the final one. */
export class LocalWriter implements ResumableWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle | undefined;
  readonly #parts: PartWriter;
  #bytes: number;
  #checksum: number;
  #state: "open" | "finished" | "committed" | "aborted";
  #finishing: Promise<void> | undefined;
  #named = false;

  constructor({ path, temporary, handle, written }: LocalWriterParts) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#state = handle === undefined ? "finished" : "open";
    this.#bytes = written?.bytes ?? 0;
    this.#checksum = written?.checksum ?? 0;
    this.#parts = new PartWriter(
      () => writeBytes,
      async (part) => {
        // writeFile goes on where the last write ended, and writes all of it.
        await guardWrite(path, async () => handle?.writeFile(part));
        this.#bytes += part.byteLength;
        this.#checksum = crc32(part, this.#checksum);
      },
    );
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#parts.write(bytes);
  }

  async finish(): Promise<void> {
    if (this.#state !== "open") return;
    this.#finishing ??= this.#finish();
    await this.#finishing;
  }

  async commit(): Promise<void> {
    if (this.#state === "committed") return;
    await this.finish();
    try {
      await rename(this.#temporary, this.#path);
    } catch (error) {
      // A life that committed before this one has renamed it.
      const written = { bytes: this.#bytes, checksum: this.#checksum };
      if (codeOf(error) !== "ENOENT" || !(await holds(this.#path, written, true))) {
        await guardWrite(this.#path, () => Promise.reject(error));
      }
    }
    this.#state = "committed";
    await syncFolder(dirname(this.#path));
  }

  async snapshot(): Promise<LocalFileState> {
    if (this.#state === "aborted") throw new QStreamError("ABORTED", "the file was given up");
    if (this.#state === "open") {
      await this.#parts.flush();
      await guardWrite(this.#path, async () => this.#handle?.datasync());
    }
    if (!this.#named) await syncFolder(dirname(this.#path));
    this.#named = true;
    return {
      temporary: basename(this.#temporary),
      bytes: this.#bytes,
      checksum: this.#checksum,
      finished: this.#state !== "open",
    };
  }

  async abort(): Promise<void> {
    if (this.#state === "committed" || this.#state === "aborted") return;
    try {
      await this.leave();
    } finally {
      await rm(this.#temporary, { force: true });
    }
  }

  async leave(): Promise<void> {
    if (this.#state === "committed" || this.#state === "aborted") return;
    this.#state = "aborted";
    // A file that is closed while it's written keeps its descriptor, and another one may get that number.
    await this.#parts.drop();
    await this.#finishing?.catch(() => undefined);
    await this.#handle?.close();
  }

  async #finish(): Promise<void> {
    await this.#parts.flush();
    await guardWrite(this.#path, async () => {
      await this.#handle?.sync();
      await this.#handle?.close();
    });
    if (this.#state === "open") this.#state = "finished";
  }
}

const readBytes = 1 << 20;

/** True if a file begins with these bytes, or consists of them. */
export async function holds(
  path: string,
  { bytes, checksum }: { readonly bytes: number; readonly checksum: number },
  whole: boolean,
): Promise<boolean> {
  const handle = await open(path, "r").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    if (size < bytes || (whole && size !== bytes)) return false;
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, bytes));
    let found = 0;
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, bytes - at), at);
      if (bytesRead === 0) return false;
      found = crc32(buffer.subarray(0, bytesRead), found);
      at += bytesRead;
    }
    return found === checksum;
  } finally {
    await handle.close();
  }
}

/** Makes new names last through a power cut, where folders can be flushed (not on Windows). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch {
    // The system can't flush folders; the rename itself is done.
  } finally {
    await handle.close();
  }
}
