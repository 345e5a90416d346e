import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { StoredExecution } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { writesFiles, type SinkFolder } from "../flow/prepare-sinks.ts";
import { decodeStoredFlow, type StoredFlow } from "../flow/stored-flow.ts";

/** Hidden files of file sinks that a run which was killed has left. */
export interface LeftFiles {
  /** How the names of all of them begin. */
  readonly prefix: string;
  /** Where they may be; undefined for a run of a version that didn't keep that. */
  readonly folders: readonly SinkFolder[] | undefined;
  readonly sinks: readonly { readonly step: string; readonly kind: string }[];
  readonly module: string;
  readonly args: unknown;
}

/** What became of them. */
export interface RemovedFiles {
  readonly removed: readonly string[];
  /** Folders that couldn't be looked at or written to, and why. */
  readonly refused: readonly { readonly folder: string; readonly reason: string }[];
}

/** Which executions of a store write files of the same names: one, and another that goes on with it with other channels. */
export interface FileNames {
  readonly isShared: (execution: string) => boolean;
  /** It was removed. */
  readonly forget: (execution: string) => void;
}

/** @param all - what is in the store */
export function fileNames(all: readonly StoredExecution[]): FileNames {
  const names = new Map(all.map((stored) => [stored.execution, nameOf(stored.execution, storedOf(stored))]));
  return {
    isShared: (execution) => {
      const own = names.get(execution);
      for (const [other, name] of names) if (other !== execution && name === own) return true;
      return false;
    },
    forget: (execution) => names.delete(execution),
  };
}

/** What an execution may have left; undefined where it has no file sinks, or its files belong to another one as well. */
export async function leftFiles(found: StoredExecution, names: FileNames): Promise<LeftFiles | undefined> {
  const { execution, description } = found;
  const stored = decodeStoredFlow(execution, description);
  const sinks = stored.plan.steps.filter(({ kind, what }) => kind === "sink" && writesFiles(what));
  if (sinks.length === 0) return undefined;
  // A change of channels was cut off: whichever of the two is there can be gone on with.
  if (names.isShared(execution)) return undefined;
  return {
    // Sinks keep their files' names when other steps get other channels.
    prefix: `.${nameOf(execution, stored)}.`,
    folders: stored.sinkFolders,
    sinks: sinks.map(({ id, what }) => ({ step: id, kind: what })),
    module: stored.module,
    args: await decodeArguments(stored.args),
  };
}

/** Removes them from the folders that the store knows. */
export async function removeLeft(files: FileSystem, { prefix, folders = [] }: LeftFiles): Promise<RemovedFiles> {
  const removed: string[] = [];
  const refused: RemovedFiles["refused"][number][] = [];
  for (const folder of new Set(folders.map(([, path]) => path))) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a few folders, one after the other
      const paths = await hiddenIn(files, folder, prefix);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await files.remove(paths);
      removed.push(...paths);
    } catch (error) {
      refused.push({ folder, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { removed: removed.toSorted(), refused };
}

/** An execution of another version has a name of its own at least. */
function storedOf({ execution, description }: StoredExecution): StoredFlow | undefined {
  try {
    return decodeStoredFlow(execution, description);
  } catch {
    return undefined;
  }
}

function nameOf(execution: string, stored: StoredFlow | undefined): string {
  return stored?.earlier?.startedAs ?? execution;
}

async function hiddenIn(files: FileSystem, folder: string, prefix: string): Promise<string[]> {
  const local = files.localPath(folder);
  if (local === undefined) return listed(files, `${escaped(folder.replace(/\/$/u, ""))}/${prefix}*`);
  // A file that is itself hidden is written under a name with one more dot.
  const names = await readdir(local).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  return names
    .filter((name) => name.startsWith(prefix) || name.startsWith(`.${prefix}`))
    .map((name) => join(local, name));
}

async function listed(files: FileSystem, glob: string): Promise<string[]> {
  try {
    return (await files.list(glob)).map(({ path }) => path);
  } catch (error) {
    if (error instanceof QStreamError && error.code === "PATH_NOT_FOUND") return [];
    throw error;
  }
}

/** A folder whose name looks like a glob is that folder. */
function escaped(folder: string): string {
  return folder.replaceAll(/[*?[{]/gu, "[$&]");
}
