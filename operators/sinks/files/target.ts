import type { FileEntry, FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { IfExists } from "./format.ts";

/** Part files of an earlier execution, to remove once the new ones are there. */
export interface Leftovers {
  readonly files: FileSystem;
  readonly paths: readonly string[];
}

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

/** Refuses a target that is taken, and returns the old part files that an overwriting execution replaces. */
export async function checkTarget(files: FileSystem, folder: string, ifExists: IfExists): Promise<readonly string[]> {
  // Asked without the slash: a file of that name is seen too.
  const path = folder.length > 1 && !/^s3:\/\/[^/]*\/$/u.test(folder) ? folder.slice(0, -1) : folder;
  const entries = await listed(files, path);
  if (entries.length === 0 || (ifExists === "append" && !isFileItself(entries, path))) return [];
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
