import { open, readdir, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { glob } from "tinyglobby";
import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { codeOf, makeFolder } from "../core/seam/make-folder.ts";
import { freshId } from "../core/seam/random.ts";
import { isGlob } from "./glob.ts";
import { guardWrite, LocalWriter } from "./local-writer.ts";
import { discardLocal, resumeLocal } from "./resume-local.ts";
import type { SchemeFileSystem } from "./scheme.ts";

/** Files of this machine by path or `file:` URL. */
export function localFiles(): SchemeFileSystem & { resolve: (path: string) => string } {
  return {
    resolve: resolveLocal,
    list,
    open: openLocal,
    create,
    remove,
    removeFolder,
    createResumable,
    discardResumable,
  };
}

function resolveLocal(path: string): string {
  return path.startsWith("file:") ? fileURLToPath(path) : resolve(path);
}

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
    await makeFolder(dirname(absolute), absolute);
    return new LocalWriter({ path: absolute, temporary, handle: await open(temporary, "wx") });
  });
}

async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(resolveLocal(path), { force: true });
}

async function removeFolder(path: string): Promise<void> {
  await rm(resolveLocal(path), { recursive: true, force: true });
}

async function createResumable(path: string, options: ResumableOptions): Promise<ResumableWriter> {
  return resumeLocal(resolveLocal(path), options);
}

async function discardResumable(folder: string, owner: string): Promise<void> {
  await discardLocal(resolveLocal(folder), owner);
}
