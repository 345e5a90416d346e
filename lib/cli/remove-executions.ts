import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore, StoredExecution } from "../core/contracts/lineage-store.ts";
import { toJson } from "./json.ts";
import { fileNames, leftFiles, removeLeft, type FileNames, type LeftFiles, type RemovedFiles } from "./left-files.ts";

/** What became of an execution and of what its sinks had left. */
interface Removed {
  readonly gone: RemovedFiles | undefined;
  /** What may be left, where the store doesn't know the folders. */
  readonly unknown: LeftFiles | undefined;
}

/** Removes one execution, whatever its status. Returns what is printed. */
export async function removeOne(
  store: LineageStore,
  files: FileSystem,
  found: StoredExecution,
  json: boolean,
): Promise<string> {
  const { execution } = found;
  const { gone, unknown } = await remove(store, files, found, fileNames(await store.list()));
  if (!json) return textOf(execution, { gone, unknown });
  return `${await toJson({ removed: execution, files: gone?.removed ?? [], ...leftAsJson(gone, unknown) })}\n`;
}

/** Which executions are removed at once: never those that may run. */
export interface ManyRemoved {
  /** Those that were started before, milliseconds since 1970; Infinity for all. */
  readonly startedBefore: number;
  readonly json: boolean;
}

/** Removes executions that have ended. Returns what is printed, and the exit code: 1 where one of them can't be removed. */
export async function removeMany(
  store: LineageStore,
  files: FileSystem,
  { startedBefore, json }: ManyRemoved,
): Promise<{ readonly text: string; readonly code: number }> {
  const all = await store.list();
  const names = fileNames(all);
  const removed = new Map<string, Removed>();
  const running: string[] = [];
  const refused: { execution: string; reason: string }[] = [];
  for (const { execution, createdAt } of all) {
    if (createdAt >= startedBefore) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop -- somebody may go on with it, or remove it, while others are removed
      const found = await store.find(execution);
      if (found === undefined) continue;
      if (found.status === "running") running.push(execution);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      else removed.set(execution, await remove(store, files, found, names));
    } catch (error) {
      refused.push({ execution, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const code = refused.length > 0 ? 1 : 0;
  if (json) return { text: `${await toJson(manyAsJson(removed, running, refused))}\n`, code };
  const texts = [...removed].map(([execution, what]) => textOf(execution, what));
  const failures = refused.map(({ execution, reason }) => `${execution} can't be removed: ${reason}\n`);
  return { text: `${texts.join("")}${failures.join("")}${summaryOf(removed.size, running.length)}`, code };
}

async function remove(
  store: LineageStore,
  files: FileSystem,
  found: StoredExecution,
  names: FileNames,
): Promise<Removed> {
  const left = await leftFiles(found, names);
  // Whoever still runs it is shut out before its files go.
  await store.drop(found.execution);
  names.forget(found.execution);
  if (left?.folders === undefined) return { gone: undefined, unknown: left };
  return { gone: await removeLeft(files, left), unknown: undefined };
}

function summaryOf(removed: number, running: number): string {
  const what = `removed ${removed} ${removed === 1 ? "execution" : "executions"}`;
  if (running === 0) return `${what}\n`;
  const stay = running === 1 ? "1 that is called running stays" : `${running} that are called running stay`;
  return `${what}; ${stay}. What was killed is called so, too: qstream executions remove EXECUTION removes it\n`;
}

function textOf(execution: string, { gone, unknown }: Removed): string {
  const text = gone === undefined ? "" : removedText(gone);
  return `removed ${execution}\n${text}${unknown === undefined ? "" : leftText(unknown)}`;
}

// Names that are printed; what a run with many part files has left isn't for people to read.
const namesMax = 100;

function removedText({ removed, refused }: RemovedFiles): string {
  const names = removed.slice(0, namesMax).map((path) => `  ${path}\n`);
  const more = removed.length > namesMax ? `  and ${removed.length - namesMax} more\n` : "";
  const files = removed.length === 0 ? "" : `removed hidden files of its sinks:\n${names.join("")}${more}`;
  const failed = refused.map(({ folder, reason }) => `hidden files in ${folder} can't be removed: ${reason}\n`);
  return `${files}${failed.join("")}`;
}

function leftAsJson(gone: RemovedFiles | undefined, unknown: LeftFiles | undefined): Record<string, unknown> {
  if (unknown === undefined) return gone === undefined || gone.refused.length === 0 ? {} : { refused: gone.refused };
  const { prefix, folders: _folders, ...left } = unknown;
  return { mayBeLeft: { files: `${prefix}*`, ...left } };
}

function manyAsJson(
  removed: ReadonlyMap<string, Removed>,
  running: readonly string[],
  refused: readonly { readonly execution: string; readonly reason: string }[],
): Record<string, unknown> {
  const each = [...removed].map(([execution, { gone, unknown }]) => ({
    execution,
    files: gone?.removed ?? [],
    ...leftAsJson(gone, unknown),
  }));
  return { removed: each, running, ...(refused.length === 0 ? {} : { refused }) };
}

/** The store doesn't know where sinks write to: only the flow's code does. */
function leftText({ prefix, sinks, module, args }: LeftFiles): string {
  const folders = sinks.map(({ step, kind }) => `  ${prefix}* in the folder of "${step}" (${kind})`);
  const which = folders.join("\n");
  return `Its sinks may have left hidden files, which nothing needs any more. Remove by hand what is there:\n${which}\nThe folder is named in ${module}; its arguments were ${JSON.stringify(args)}\n`;
}
