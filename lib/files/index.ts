import type { FileEntry, FileSystem, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableFiles, ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import type { Clock } from "../core/seam/clock.ts";
import { systemClock } from "../core/seam/clock.ts";
import { ConfinedFiles } from "./confined.ts";
import { httpFiles, type HttpOptions } from "./http.ts";
import { localFiles } from "./local.ts";
import { s3Files, type S3Options } from "./s3.ts";
import type { SchemeFileSystem } from "./scheme.ts";

export { globExpression, isGlob } from "./glob.ts";
export type { HttpOptions } from "./http.ts";
export type { S3Options } from "./s3.ts";

export interface FileSystemOptions {
  /** Where S3 is and how to get in; else what the AWS SDK finds (environment, profile, machine). */
  readonly s3?: S3Options;
  /** Retries, time and size limits of http(s) requests. */
  readonly http?: HttpOptions;
  /** Clock that retries wait on. Default: the machine's. */
  readonly clock?: Clock;
}

/** Files of a machine of a cluster, which runs what others give it. */
export interface MachineFiles extends FileSystemOptions {
  /**
   * Folders of this machine, and beginnings of URLs, outside of which nothing is read or written: `/srv/data`, `s3://bucket/prefix`.
   * Links are followed first. Default: everywhere.
   */
  readonly within?: readonly string[] | undefined;
}

/**
 * Files by path or URL: local paths, `file:`, `http://`, `https://` and `s3://`, chosen by the scheme.
 *
 * @param options - settings of S3 and http; nothing is contacted or loaded before a path asks for it
 * @returns the file system; its errors are PATH_NOT_FOUND, PATH_FORBIDDEN, BAD_INPUT, LIMIT_EXCEEDED or UNSUPPORTED and name the path
 * @example
 * const files = openFileSystem({ s3: { endpoint: "http://127.0.0.1:9000" } });
 * const parts = await files.list(["data/*.csv", "s3://bucket/dir/"]);
 */
export function openFileSystem(options: MachineFiles = {}): FileSystem & ResumableFiles {
  const files = new SchemeFiles(options);
  return options.within === undefined ? files : new ConfinedFiles(files, options.within);
}

class SchemeFiles implements FileSystem, ResumableFiles {
  readonly #local = localFiles();
  readonly #http: SchemeFileSystem;
  readonly #s3: SchemeFileSystem;

  constructor(options: MachineFiles) {
    this.#http = httpFiles(options.http ?? {}, options.clock ?? systemClock, options.within === undefined);
    this.#s3 = s3Files(options.s3 ?? {});
  }

  async list(paths: string | readonly string[], signal?: AbortSignal): Promise<readonly FileEntry[]> {
    const found = new Map<string, FileEntry>();
    for (const path of pathsOf(paths)) {
      signal?.throwIfAborted();
      for (const entry of await this.#of(path).list(path, signal)) found.set(entry.path, entry);
    }
    if (found.size === 0) {
      throw new QStreamError("PATH_NOT_FOUND", "the list of paths is empty", { advice: "Give at least one path." });
    }
    return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
    return this.#of(typeof entry === "string" ? entry : entry.path).open(entry, signal);
  }

  create(path: string): Promise<FileWriter> {
    return this.#of(path).create(path);
  }

  createResumable(path: string, options: ResumableOptions): Promise<ResumableWriter> {
    return this.#of(path).createResumable(path, options);
  }

  discardResumable(folder: string, owner: string): Promise<void> {
    return this.#of(folder).discardResumable(folder, owner);
  }

  async remove(paths: readonly string[]): Promise<void> {
    const groups = new Map<SchemeFileSystem, string[]>();
    for (const path of paths) {
      const group = groups.get(this.#of(path));
      if (group === undefined) groups.set(this.#of(path), [path]);
      else group.push(path);
    }
    for (const [files, group] of groups) await files.remove(group);
  }

  async removeFolder(path: string): Promise<void> {
    await this.#of(path).removeFolder?.(path);
  }

  localPath(path: string): string | undefined {
    return schemeOf(path) === "file" ? this.#local.resolve(path) : undefined;
  }

  #of(path: string): SchemeFileSystem {
    if (path === "") {
      throw new QStreamError("OPTION_INVALID", "a path is empty", {
        advice: 'Give the path of a file, folder or glob; the working directory is ".".',
      });
    }
    const scheme = schemeOf(path);
    if (scheme === "file") return this.#local;
    if (scheme === "s3") return this.#s3;
    if (scheme === "http" || scheme === "https") return this.#http;
    throw new QStreamError("UNSUPPORTED", `no file system knows the scheme "${scheme}://"`, {
      file: path,
      advice: "Use a local path, or a URL with file:, http://, https:// or s3://.",
    });
  }
}

function schemeOf(path: string): string {
  if (path.startsWith("file:")) return "file";
  return /^([a-z][a-z0-9+.-]*):\/\//iu.exec(path)?.[1]?.toLowerCase() ?? "file";
}

/** Paths come from arguments of flows and of other programs, which no compiler has seen. */
function pathsOf(paths: unknown): readonly string[] {
  const given: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  for (const path of given) {
    if (typeof path === "string") continue;
    throw new QStreamError("OPTION_INVALID", `a path is ${path === null ? "null" : typeof path}, and not a string`, {
      advice:
        "Is an argument of the flow missing? Declare arguments by a schema, and it is told before the flow starts",
    });
  }
  return given as readonly string[];
}
