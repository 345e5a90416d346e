import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { FileEntry, FileSystem, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableFiles, ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { codeOf } from "../core/seam/make-folder.ts";

type Files = FileSystem & ResumableFiles;

/**
 * Files of a few places only: folders of this machine, with all links followed, and what URLs begin with. It holds readers and sinks
 * to what their machine has for them, and paths that come from elsewhere; code of a flow that opens files itself is not held.
 */
export class ConfinedFiles implements Files {
  readonly #files: Files;
  readonly #folders: readonly string[];
  readonly #urls: readonly string[];

  /** @param places - paths of folders; `s3://bucket/prefix`, `https://host/path` */
  constructor(files: Files, places: readonly string[]) {
    this.#files = files;
    const isLocal = (place: string): boolean => files.localPath(place) !== undefined;
    this.#folders = places.filter(isLocal).flatMap((place) => realPathOf(files.localPath(place) ?? place) ?? []);
    this.#urls = places.filter((place) => !isLocal(place)).flatMap((place) => urlOf(place) ?? []);
  }

  async list(paths: string | readonly string[], signal?: AbortSignal): Promise<readonly FileEntry[]> {
    // Where stars begin nothing is yet: what is before them is looked at. Who lists says what is wrong with one that is no text.
    for (const path of typeof paths === "string" ? [paths] : paths) if (typeof path === "string") this.#check(path);
    const entries = await this.#files.list(paths, signal);
    // A link leads elsewhere, or a glob's braces do.
    for (const { path } of entries) this.#check(path);
    return entries;
  }

  async open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
    this.#check(typeof entry === "string" ? entry : entry.path);
    return this.#files.open(entry, signal);
  }

  async create(path: string): Promise<FileWriter> {
    this.#check(path);
    return this.#files.create(path);
  }

  async createResumable(path: string, options: ResumableOptions): Promise<ResumableWriter> {
    this.#check(path);
    return this.#files.createResumable(path, options);
  }

  async discardResumable(folder: string, owner: string): Promise<void> {
    this.#check(folder);
    await this.#files.discardResumable(folder, owner);
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#check(path);
    await this.#files.remove(paths);
  }

  async removeFolder(path: string): Promise<void> {
    this.#check(path);
    await this.#files.removeFolder?.(path);
  }

  /** Libraries read what is at it themselves. @throws QStreamError PATH_FORBIDDEN */
  localPath(path: string): string | undefined {
    this.#check(path);
    return this.#files.localPath(path);
  }

  #check(path: string): void {
    const local = this.#files.localPath(path);
    if (local === undefined ? this.#hasUrl(path) : this.#hasLocal(local)) return;
    throw new QStreamError("PATH_FORBIDDEN", "files of this place aren't for flows on this machine", {
      // A query may hold a signature.
      file: /^https?:/iu.test(path) ? path.replace(/\?.*$/su, "") : path,
      advice: "Read and write below the folders and URLs that --files of head and worker names",
    });
  }

  #hasLocal(path: string): boolean {
    const real = realPathOf(path);
    return real !== undefined && this.#folders.some((folder) => isWithin(real, folder));
  }

  #hasUrl(path: string): boolean {
    const url = urlOf(path);
    return url !== undefined && this.#urls.some((place) => folderOf(url).startsWith(folderOf(place)));
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Where a path leads when all links are followed, also one at whose end nothing is yet; undefined where nobody can tell. */
function realPathOf(path: string): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      return join(realpathSync.native(at), ...missing);
    } catch (error) {
      const code = codeOf(error);
      // What is made under a link that leads nowhere is made where that leads.
      if ((code !== "ENOENT" && code !== "ENOTDIR") || isThere(at)) return undefined;
    }
    if (dirname(at) === at) return undefined;
    missing.unshift(basename(at));
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** A URL in one form only; undefined for one that a server could take for another. */
function urlOf(text: string): string | undefined {
  if (/^s3:/iu.test(text)) {
    const segments = text.split("/");
    return segments.includes("..") || segments.includes(".") ? undefined : text.replace(/^s3/iu, "s3");
  }
  if (!URL.canParse(text) || /%2f|%5c/iu.test(text)) return undefined;
  const url = new URL(text);
  url.hash = "";
  return url.href;
}

function folderOf(place: string): string {
  return place.endsWith("/") ? place : `${place}/`;
}
