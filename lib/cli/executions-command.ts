import { existsSync } from "node:fs";
import { openStore } from "../../actors/stores/open-store.ts";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore, StoredExecution } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { nearestWord } from "../core/option-names.ts";
import { openFileSystem } from "../files/index.ts";
import { checkPlaces } from "../flow/check-options.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { decodeStoredFlow, type StoredFlow } from "../flow/stored-flow.ts";
import { asCommand } from "./as-command.ts";
import { formatTable, wholeTable } from "./display/table.ts";
import { toJson } from "./json.ts";
import { checkNamed } from "./option-values.ts";
import { leftFiles, removeLeft, type LeftFiles, type RemovedFiles } from "./left-files.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly action: "list" | "show" | "remove";
  readonly execution: string;
  readonly store: string;
  /** Where large checkpoints are kept, so that they are removed too. */
  readonly checkpoints: string | undefined;
  readonly json: boolean;
}

/** `qstream executions`. Returns the exit code: 0 success, 1 there is no such execution or store, 2 the command was wrong. */
export function executionsCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "executions",
    () => parse(words),
    async (command) => {
      const missing = missingFolder(command.store);
      const { checkpoints: path } = command;
      const files = openFileSystem();
      const checkpoints = path === undefined ? undefined : { path, files };
      const store = await openStore(missing === undefined ? command.store : "memory", { checkpoints, files });
      try {
        process.stdout.write(await perform(store, files, command, missing));
      } finally {
        await store.close();
      }
    },
  );
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      store: { type: "string" },
      checkpoints: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const [action = "list", execution = "", ...more] = positionals;
  checkAction(action, execution, more);
  const { store: named, checkpoints } = values;
  const store = storeOf({ store: named });
  checkNamed(named, () => {
    checkKept(store);
    checkPlaces({ store, ...(checkpoints === undefined ? {} : { checkpoints }) });
  });
  return { action, execution, store, checkpoints, json: values.json === true };
}

const actions = ["list", "show", "remove"] as const;

function checkAction(
  action: string,
  execution: string,
  more: readonly string[],
): asserts action is (typeof actions)[number] {
  if (!actions.some((known) => known === action)) throw unknownAction(action);
  const several = [execution, ...more].join(" and ");
  if (action === "list") {
    if (execution === "") return;
    throw new QStreamError(
      "OPTION_INVALID",
      `list takes no ${several}: for one execution write qstream executions show ${execution}`,
    );
  }
  if (execution === "") {
    throw new QStreamError("OPTION_INVALID", `${action} wants the id of an execution: qstream executions lists them`);
  }
  if (more.length > 0) throw new QStreamError("OPTION_INVALID", `${action} takes one execution, not ${several}`);
}

function unknownAction(word: string): QStreamError {
  const nearest = nearestWord(word, actions);
  const advice = word.startsWith("run-")
    ? `For one execution write: qstream executions show ${word}`
    : nearest === undefined
      ? "There are list, show EXECUTION and remove EXECUTION"
      : `Did you mean ${nearest}?`;
  return new QStreamError("OPTION_INVALID", `executions has no "${word}"`, { advice });
}

function checkKept(store: string): void {
  if (store !== "memory" && store !== "none") return;
  throw new QStreamError("OPTION_INVALID", `the store "${store}" keeps nothing: name another one by --store`);
}

/** The folder of an LMDB store that isn't there. Opening it would make it, and whoever only asks wants no folder. */
function missingFolder(store: string): string | undefined {
  const [, folder] = /^lmdb:([^?]+)/u.exec(store) ?? [];
  return folder === undefined || existsSync(folder) ? undefined : folder;
}

async function perform(
  store: LineageStore,
  files: FileSystem,
  { action, execution, json }: Command,
  missing: string | undefined,
): Promise<string> {
  switch (action) {
    case "list": {
      const rows = (await store.list()).map(summaryOf);
      if (json) return `${await toJson(rows)}\n`;
      if (rows.length > 0) return formatTable(rows, wholeTable);
      return `no executions: ${missing === undefined ? "those that are done aren't kept" : `there is no folder ${missing}`}\n`;
    }
    case "show": {
      const found = await findIn(store, execution);
      const shown = await detailsOf(store, found);
      return json ? `${await toJson(shown)}\n` : textOf(shown);
    }
    case "remove":
      return remove(store, files, await findIn(store, execution), json);
  }
}

async function remove(store: LineageStore, files: FileSystem, found: StoredExecution, json: boolean): Promise<string> {
  const { execution } = found;
  const left = await leftFiles(store, found);
  // Whoever still runs it is shut out before its files go.
  await store.drop(execution);
  const gone = left?.folders === undefined ? undefined : await removeLeft(files, left);
  const unknown = left?.folders === undefined ? left : undefined;
  if (json)
    return `${await toJson({ removed: execution, files: gone?.removed ?? [], ...leftAsJson(gone, unknown) })}\n`;
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

/** The store doesn't know where sinks write to: only the flow's code does. */
function leftText({ prefix, sinks, module, args }: LeftFiles): string {
  const folders = sinks.map(({ step, kind }) => `  ${prefix}* in the folder of "${step}" (${kind})`);
  const which = folders.join("\n");
  return `Its sinks may have left hidden files, which nothing needs any more. Remove by hand what is there:\n${which}\nThe folder is named in ${module}; its arguments were ${JSON.stringify(args)}\n`;
}

async function findIn(store: LineageStore, execution: string): Promise<StoredExecution> {
  const found = await store.find(execution);
  if (found !== undefined) return found;
  throw new QStreamError("EXECUTION_UNKNOWN", `the store has no execution ${execution}`, {
    advice: "qstream executions lists those that are there; those that are done aren't kept",
  });
}

function summaryOf(stored: StoredExecution): Record<string, unknown> {
  const { execution, createdAt, status, channels } = stored;
  const { flow } = decodeStoredFlow(execution, stored.description);
  return { execution, flow, started: new Date(createdAt).toISOString(), status, channels };
}

interface Details {
  readonly execution: string;
  readonly status: string;
  readonly started: string;
  readonly flow: string;
  readonly module: string;
  readonly codeHash: string;
  /** The execution that it goes on from, with other channels: tasks are counted from there. */
  readonly earlier?: string;
  readonly args: unknown;
  readonly channels: readonly Record<string, unknown>[];
}

async function detailsOf(store: LineageStore, found: StoredExecution): Promise<Details> {
  const { execution, status, createdAt, description } = found;
  const stored = decodeStoredFlow(execution, description);
  const { flow, module, codeHash, earlier } = stored;
  return {
    execution,
    status,
    started: new Date(createdAt).toISOString(),
    flow,
    module,
    codeHash,
    ...(earlier === undefined ? {} : { earlier: earlier.execution }),
    args: await decodeArguments(stored.args),
    channels: await progressOf(store, execution, stored),
  };
}

/** How far each channel came: its last task that can be run again. */
async function progressOf(
  store: LineageStore,
  execution: string,
  { plan }: StoredFlow,
): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  let number = 0;
  for (const step of plan.steps) {
    for (let channel = 0; channel < step.channels; channel++) {
      // oxlint-disable-next-line no-await-in-loop -- a page to read, for people
      rows.push({ step: step.id, channel, ...(await store.progress(execution, number++)) });
    }
  }
  return rows;
}

function textOf({ channels, args, ...facts }: Details): string {
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(10)} ${String(value)}`);
  return `${lines.join("\n")}\narguments  ${JSON.stringify(args)}\n\n${formatTable(channels, wholeTable)}`;
}
