import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { QStreamError } from "../errors.ts";

/**
 * Makes a folder, and the ones above it that are missing, one by one: Node's recursive way never ends on file systems that
 * make no folders, such as /proc.
 *
 * @param path - what the folder is for, as the error's file
 * @throws QStreamError BAD_INPUT that names the folder which can't be made; an error of the system where no space is left
 */
export async function makeFolder(folder: string, path: string = folder): Promise<void> {
  const missing: string[] = [];
  for (let at = folder; !(await makeOne(at, path, dirname(at) !== at)); at = dirname(at)) missing.push(at);
  for (const at of missing.reverse()) await makeOne(at, path, false);
}

/** Makes a folder whose parent is there; false where that is missing, if `mayLackParent`. */
async function makeOne(folder: string, path: string, mayLackParent: boolean): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" && mayLackParent) return false;
    // The roots of drives, and folders that are read-only, answer otherwise than with EEXIST.
    if (code !== "ENOENT" && (await isFolder(folder))) return true;
    if (noSpace(code)) throw error;
    throw new QStreamError("BAD_INPUT", `the folder ${folder} can't be made: ${code ?? String(error)}`, {
      file: path,
      advice: "Choose a folder that exists, or one below a folder in which others can be made.",
      cause: error,
    });
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** The system's name of what went wrong: "ENOENT". */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Whether an error's code says that the disk, or the user's part of it, is full. */
export const noSpace = (code: string | undefined): boolean => code === "ENOSPC" || code === "EDQUOT";
