import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore, StoredExecution } from "../core/contracts/lineage-store.ts";
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

/** What an execution may have left; undefined where it has no file sinks, or its files belong to another one as well. */
export async function leftFiles(store: LineageStore, found: StoredExecution): Promise<LeftFiles | undefined> {
  const { execution, description } = found;
  const stored = decodeStoredFlow(execution, description);
  const sinks = stored.plan.steps.filter(({ kind, what }) => kind === "sink" && writesFiles(what));
  if (sinks.length === 0) return undefined;
  // Sinks keep their files' names when other steps get other channels.
  const startedAs = nameOf(execution, stored);
  const others = (await store.list()).filter((other) => other.execution !== execution);
  // A change of channels was cut off: whichever of the two is there can be gone on with.
  if (others.some((other) => nameOf(other.execution, storedOf(other)) === startedAs)) return undefined;
  return {
    prefix: `.${startedAs}.`,
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
