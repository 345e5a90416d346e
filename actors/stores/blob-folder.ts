import type { FileEntry, FileSystem } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** Others get the thread between two pieces. */
const pieceBytes = 8 << 20;

/**
 * Blobs by name below a folder or an S3 prefix. Where that can't be reached, calls are STORE_UNAVAILABLE, so that they are
 * repeated as those of a store are; where it may not be written, STORE_REFUSED.
 */
export class BlobFolder {
  readonly path: string;
  readonly #files: FileSystem;
  /** What is in folders that were listed once, or written to after that. Nobody else writes names that matter here. */
  readonly #listed = new Map<string, Set<string>>();

  constructor(path: string, files: FileSystem) {
    this.path = (files.localPath(path) ?? path).replace(/(?<=[^/\\])[/\\]+$/u, "");
    this.#files = files;
  }

  /** Settled when the blob is whole under its name. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.#guard(async () => {
      const writer = await this.#files.create(this.#pathOf(name));
      try {
        for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await writer.write(bytes.subarray(at, at + pieceBytes));
        }
        await writer.finish();
        await writer.commit();
      } catch (error) {
        await writer.abort().catch(() => undefined);
        throw error;
      }
    });
    this.note(name);
  }

  /** A blob was written, perhaps by somebody else. */
  note(name: string): void {
    const end = name.lastIndexOf("/");
    this.#listed.get(name.slice(0, end))?.add(name.slice(end + 1));
  }

  /** A blob of so many bytes, or undefined where there is none. */
  async read(name: string, length: number): Promise<Uint8Array | undefined> {
    return this.#guard(async () => {
      const file = await this.#files.open(this.#pathOf(name)).catch(undefinedIfMissing);
      if (file === undefined) return undefined;
      try {
        return file.entry.bytes === length ? ownBytes(await file.read(0, length)) : undefined;
      } finally {
        await file.close();
      }
    });
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#guard(() => this.#files.remove(names.map((name) => this.#pathOf(name))));
  }

  /** Removes blobs right below a folder, which is listed once. */
  async removeWhere(folder: string, isUnneeded: (name: string) => boolean): Promise<void> {
    let names = this.#listed.get(folder);
    if (names === undefined) {
      names = new Set((await this.#list(folder)).map(({ path }) => lastOf(path)));
      this.#listed.set(folder, names);
    }
    const unneeded = [...names].filter(isUnneeded);
    if (unneeded.length === 0) return;
    await this.remove(unneeded.map((name) => `${folder}/${name}`));
    for (const name of unneeded) names.delete(name);
  }

  /** Removes all blobs below a folder, and what a process left that was killed while it wrote. */
  async removeAll(folder: string): Promise<void> {
    const found = await this.#list(folder);
    await this.#guard(async () => {
      await this.#files.remove(found.map(({ path }) => path));
      await this.#files.removeFolder?.(this.#pathOf(folder));
    });
    for (const listed of this.#listed.keys()) if (listed.startsWith(`${folder}/`)) this.#listed.delete(listed);
  }

  async bytesHeld(): Promise<number> {
    let bytes = 0;
    for (const entry of await this.#list("")) bytes += entry.bytes;
    return bytes;
  }

  async #list(folder: string): Promise<readonly FileEntry[]> {
    const path = this.#pathOf(folder === "" ? "" : `${folder}/`);
    return this.#guard(async () => (await this.#files.list(path).catch(undefinedIfMissing)) ?? []);
  }

  #pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Waiting helps against a network or a disk; it doesn't against rights that are missing. */
  #errorOf(cause: unknown): QStreamError {
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof QStreamError ? cause.code : undefined;
    const refused =
      code === "OPTION_INVALID" ||
      code === "UNSUPPORTED" ||
      code === "PACKAGE_MISSING" ||
      /EACCES|EPERM|EROFS|Access ?Denied|Forbidden|NoSuchBucket|not permitted/iu.test(why);
    const what = `the checkpoints in ${this.path} can't be reached: ${why}`;
    return refused
      ? new QStreamError("STORE_REFUSED", what, {
          advice: "Look at its name, its permissions and the credentials",
          cause,
        })
      : new QStreamError("STORE_UNAVAILABLE", what, {
          advice: "The execution waits for it: look at its disk, or network",
          cause,
        });
  }
}

/** Bytes that can be given away: those of a pool are copied. */
function ownBytes(read: Uint8Array): Uint8Array {
  return read.byteLength === read.buffer.byteLength ? new Uint8Array(read.buffer) : new Uint8Array(read);
}

function lastOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return undefined;
  throw error;
}
