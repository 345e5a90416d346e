import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { QStreamError } from "../errors.ts";

/**
 * Makes a folder, and the ones above it that are missing, one by one: Node's recursive way never ends on file systems that
 * make no folders, such as /proc.
 *
 * @param path - what the folder is for, as the error's file
 * @param advice - what the reader of the error can do
 * @throws QStreamError BAD_INPUT that names the folder which can't be made; an error of the system where no space is left
 */
export async function makeFolder(folder: string, path: string = folder, advice: string = usualAdvice): Promise<void> {
  const missing: string[] = [];
  const reason = { path, advice };
  for (let at = folder; !(await makeOne(at, reason, dirname(at) !== at)); at = dirname(at)) missing.push(at);
  for (const at of missing.reverse()) await makeOne(at, reason, false);
}

const usualAdvice = "Choose a folder that exists, or one below a folder in which others can be made";

interface Reason {
  readonly path: string;
  readonly advice: string;
}

/** Makes a folder whose parent is there; false where that is missing, if `mayLackParent`. */
async function makeOne(folder: string, { path, advice }: Reason, mayLackParent: boolean): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" && mayLackParent) return false;
    // The roots of drives, and folders that are read-only, answer otherwise than with EEXIST.
    if (code !== "ENOENT" && (await isFolder(folder))) return true;
    if (noSpace(code)) throw error;
    const why = code === undefined ? String(error) : `${await wordsOf(code, folder)} (${code})`;
    throw new QStreamError("BAD_INPUT", `the folder ${folder} can't be made: ${why}`, {
      ...(path === folder ? {} : { file: path }),
      advice,
      cause: error,
    });
  }
}

async function wordsOf(code: string, folder: string): Promise<string> {
  switch (code) {
    case "EEXIST":
      return "it is a file";
    case "ENOTDIR":
      return `${await fileAbove(folder)} is a file`;
    case "EACCES":
    case "EPERM":
      return `this user may make nothing in ${dirname(folder)}`;
    case "EROFS":
      return `the file system of ${dirname(folder)} is read-only`;
    case "ENOENT":
      return `${dirname(folder)} takes no folders`;
    case "ENAMETOOLONG":
      return "its name is too long";
    default:
      return "the system refuses";
  }
}

/** The folder above that is none. */
async function fileAbove(folder: string): Promise<string> {
  let at = dirname(folder);
  while (dirname(at) !== at && (await stat(at).catch(() => undefined)) === undefined) at = dirname(at);
  return at;
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
