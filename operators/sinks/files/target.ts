import type { FileEntry, FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { IfExists } from "./format.ts";

/** The target as the beginning of its files' paths. @throws QStreamError OPTION_INVALID */
export function folderOf(path: string): string {
  if (path === "")
    throw new QStreamError("OPTION_INVALID", "a file sink needs the path of a folder, or an s3:// prefix");
  if (/^https?:/iu.test(path)) {
    throw new QStreamError("OPTION_INVALID", "files can't be written to http(s)", {
      file: path,
      advice: "Write to a local folder or to s3://bucket/prefix.",
    });
  }
  return path.endsWith("/") ? path : `${path}/`;
}

/** The name of a channel's nth file: distinct in all channels, and the same whenever the task is repeated. */
export function partName(part: number, extension: string, mark: string | undefined): string {
  return `part-${mark === undefined ? "" : `${mark}-`}${String(part).padStart(5, "0")}.${extension}`;
}

const partPattern = /^part-(?:.+-)?\d{5,}\.\w+$/u;

/** A target, and how it may be taken. */
export interface Target {
  readonly folder: string;
  readonly extension: string;
  readonly ifExists: IfExists;
  /** The execution goes on: part files of its own may be there. */
  readonly resuming: boolean;
}

/** Refuses a target that is taken, and returns the old part files that an overwriting execution replaces. */
export async function checkTarget(
  files: FileSystem,
  { folder, extension, ifExists, resuming }: Target,
): Promise<readonly string[]> {
  // Asked without the slash: a file of that name is seen too.
  const path = folder.length > 1 && !/^s3:\/\/[^/]*\/$/u.test(folder) ? folder.slice(0, -1) : folder;
  const entries = await listed(files, path);
  if (entries.length === 0 || (ifExists === "append" && !isFileItself(entries, path))) return [];
  // The folder was empty when the execution began: what has the names of its parts was committed by it.
  if (resuming && ifExists === "error" && !isFileItself(entries, path) && onlyParts(entries, extension)) return [];
  if (ifExists !== "overwrite" || isFileItself(entries, path)) {
    throw new QStreamError(
      "SINK_TARGET_EXISTS",
      isFileItself(entries, path) ? "the target is a file" : "the target isn't empty",
      {
        file: path,
        advice: 'Choose another folder, or set ifExists to "overwrite" or "append" for a folder of part files.',
      },
    );
  }
  const foreign = entries.find((entry) => !partPattern.test(lastName(entry.path)));
  if (foreign === undefined) return entries.map((entry) => entry.path);
  throw new QStreamError("SINK_TARGET_EXISTS", "the target has files that no sink wrote, which aren't overwritten", {
    file: foreign.path,
    advice: "Choose another folder, or remove the file.",
  });
}

function onlyParts(entries: readonly FileEntry[], extension: string): boolean {
  return entries.every((entry) => {
    const name = lastName(entry.path);
    return /^part-\d{5,}\.\w+$/u.test(name) && name.endsWith(`.${extension}`);
  });
}

async function listed(files: FileSystem, path: string): Promise<readonly FileEntry[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return [];
    throw error;
  }
}

function isFileItself(entries: readonly FileEntry[], path: string): boolean {
  const [only] = entries;
  return (
    entries.length === 1 &&
    only !== undefined &&
    lastName(only.path) === lastName(path) &&
    !partPattern.test(lastName(path))
  );
}

function lastName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
