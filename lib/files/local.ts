import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { glob } from "tinyglobby";
import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import { QStreamError } from "../core/errors.ts";
import { freshId } from "../core/seam/random.ts";
import { isGlob } from "./glob.ts";
import type { SchemeFileSystem } from "./scheme.ts";
import { PartWriter } from "./part-writer.ts";

/** Files of this machine by path or `file:` URL. */
export function localFiles(): SchemeFileSystem & { resolve: (path: string) => string } {
  return { resolve: resolveLocal, list, open: openLocal, create, remove };
}

const writeBytes = 256 << 10;

function resolveLocal(path: string): string {
  return path.startsWith("file:") ? fileURLToPath(path) : resolve(path);
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

async function entryOf(path: string): Promise<FileEntry> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  return { path, bytes: Number(size), version: `${mtimeNs}-${size}` };
}

async function list(path: string, signal?: AbortSignal): Promise<readonly FileEntry[]> {
  const absolute = resolveLocal(path);
  const found = await stat(absolute).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw unreadable(absolute, error);
  });
  // A file whose name looks like a glob is that file.
  if (found?.isFile() === true) return [await entryOf(absolute)];
  const folder = found?.isDirectory() === true;
  if (found !== undefined && !folder) {
    throw new QStreamError("BAD_INPUT", "the path is neither a file nor a folder", {
      file: absolute,
      advice: "Pipes, sockets and devices have no ranges to read: read them with a custom reader.",
    });
  }
  if (!folder && !isGlob(path)) throw notFound(absolute);
  const names = folder ? await walk(absolute, signal) : await matchGlob(absolute, signal);
  if (names.length === 0) {
    throw new QStreamError("PATH_NOT_FOUND", folder ? "the folder has no files" : "no file matches the glob", {
      file: absolute,
      advice: `${folder ? "Names that start with a dot aren't read" : "Check the pattern"}; the working directory is ${process.cwd()}.`,
    });
  }
  return Promise.all(names.map((name) => entryOf(name)));
}

async function matchGlob(pattern: string, signal?: AbortSignal): Promise<string[]> {
  const names = await glob(pattern.replaceAll("\\", "/"), {
    absolute: true,
    onlyFiles: true,
    dot: false,
    expandDirectories: false,
    ...(signal === undefined ? {} : { signal }),
  });
  return names.map((name) => resolve(name));
}

async function walk(folder: string, signal?: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  const open: string[] = [folder];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    signal?.throwIfAborted();
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) open.push(path);
      // A link is read where it leads to a file; links to folders are left alone, for they can lead in a circle.
      else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(path)))) names.push(path);
    }
  }
  return names;
}

async function leadsToFile(link: string): Promise<boolean> {
  return stat(link).then(
    (target) => target.isFile(),
    (error: unknown) => {
      throw unreadable(link, error);
    },
  );
}

function notFound(absolute: string): QStreamError {
  return new QStreamError("PATH_NOT_FOUND", "there is no such file or folder", {
    file: absolute,
    advice: `Relative paths start at the working directory, ${process.cwd()}.`,
  });
}

function unreadable(absolute: string, error: unknown): QStreamError {
  if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return notFound(absolute);
  return new QStreamError("BAD_INPUT", `the file can't be read: ${codeOf(error) ?? String(error)}`, {
    file: absolute,
    advice: "Check its permissions, and that it is a regular file.",
    cause: error,
  });
}

async function openLocal(entry: FileEntry | string): Promise<OpenFile> {
  const path = resolveLocal(typeof entry === "string" ? entry : entry.path);
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const { size, mtimeNs } = await handle.stat({ bigint: true });
    const now: FileEntry = { path, bytes: Number(size), version: `${mtimeNs}-${size}` };
    if (typeof entry !== "string" && entry.version !== now.version) {
      throw new QStreamError("BAD_INPUT", "the file changed after it was listed", {
        file: path,
        advice: "Files must not be written while a flow reads them: run the flow again.",
      });
    }
    return new LocalFile(now, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class LocalFile implements OpenFile {
  readonly entry: FileEntry;
  readonly #handle: FileHandle;
  #closed = false;

  constructor(entry: FileEntry, handle: FileHandle) {
    this.entry = entry;
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.entry.bytes - position)));
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, bytes.byteLength - done, position + done)
        .catch((error: unknown) => {
          throw unreadable(this.entry.path, error);
        });
      if (bytesRead === 0) {
        throw new QStreamError("BAD_INPUT", `the file ends at byte ${position + done} of ${this.entry.bytes}`, {
          file: this.entry.path,
          advice: "It was cut while it was read: run the flow again when it is complete.",
        });
      }
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

async function create(path: string): Promise<FileWriter> {
  const absolute = resolveLocal(path);
  const temporary = join(dirname(absolute), `.${basename(absolute)}.${freshId("tmp")}`);
  return guardWrite(absolute, async () => {
    await mkdir(dirname(absolute), { recursive: true });
    return new LocalWriter(absolute, temporary, await open(temporary, "wx"));
  });
}

async function guardWrite<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOSPC" || code === "EDQUOT") {
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

class LocalWriter implements FileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #parts: PartWriter;
  #state: "open" | "finished" | "committed" | "aborted" = "open";
  #finishing: Promise<void> | undefined;

  constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    // writeFile goes on where the last write ended, and writes all of it.
    this.#parts = new PartWriter(
      () => writeBytes,
      (part) => guardWrite(path, () => handle.writeFile(part)),
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
    await guardWrite(this.#path, () => rename(this.#temporary, this.#path));
    this.#state = "committed";
    await syncFolder(dirname(this.#path));
  }

  async abort(): Promise<void> {
    if (this.#state === "committed" || this.#state === "aborted") return;
    this.#state = "aborted";
    // A file that is closed while it's written keeps its descriptor, and another one may get that number.
    await this.#parts.drop();
    await this.#finishing?.catch(() => undefined);
    try {
      await this.#handle.close();
    } finally {
      await rm(this.#temporary, { force: true });
    }
  }

  async #finish(): Promise<void> {
    await this.#parts.flush();
    await guardWrite(this.#path, async () => {
      await this.#handle.sync();
      await this.#handle.close();
    });
    if (this.#state === "open") this.#state = "finished";
  }
}

/** Makes a rename last through a power cut, where folders can be flushed (not on Windows). */
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

async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(resolveLocal(path), { force: true });
}
