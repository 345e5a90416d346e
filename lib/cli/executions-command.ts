import { existsSync } from "node:fs";
import { openStore } from "../../actors/stores/open-store.ts";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore, StoredExecution } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { nearestWord } from "../core/option-names.ts";
import { systemClock } from "../core/seam/clock.ts";
import { openFileSystem } from "../files/index.ts";
import { checkPlaces } from "../flow/check-options.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { decodeStoredFlow, type StoredFlow } from "../flow/stored-flow.ts";
import { asCommand } from "./as-command.ts";
import { formatTable, wholeTable } from "./display/table.ts";
import { toJson } from "./json.ts";
import { checkNamed, durationMs, refuseTogether } from "./option-values.ts";
import { parseWords } from "./parse-words.ts";
import { removeMany, removeOne } from "./remove-executions.ts";

interface Command {
  readonly action: "list" | "show" | "remove";
  readonly execution: string;
  /** Removes those that were started so many milliseconds ago, or longer; undefined for the one that is named. */
  readonly olderThanMs: number | undefined;
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
        const { text, code } = await perform(store, files, command, missing);
        process.stdout.write(text);
        return code;
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
      all: { type: "boolean" },
      "older-than": { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const [action = "list", execution = "", ...more] = positionals;
  const olderThanMs = olderThan(values);
  checkAction(action, execution, more, olderThanMs !== undefined);
  const { store: named, checkpoints } = values;
  const store = storeOf({ store: named });
  checkNamed(named, () => {
    checkKept(store);
    checkPlaces({ store, ...(checkpoints === undefined ? {} : { checkpoints }) });
  });
  return { action, execution, olderThanMs, store, checkpoints, json: values.json === true };
}

/** How old the executions are that are removed at once; undefined where one is named. */
function olderThan(values: { readonly all?: boolean; readonly "older-than"?: string }): number | undefined {
  const { all, "older-than": age } = values;
  refuseTogether(all, age, "--all removes whatever has ended, and --older-than what was started long ago: give one");
  return age === undefined ? (all === true ? 0 : undefined) : durationMs("--older-than", age);
}

const actions = ["list", "show", "remove"] as const;

function checkAction(
  action: string,
  execution: string,
  more: readonly string[],
  several: boolean,
): asserts action is (typeof actions)[number] {
  if (!actions.some((known) => known === action)) throw unknownAction(action);
  const named = [execution, ...more].join(" and ");
  if (several && (action !== "remove" || execution !== "")) {
    const what = action === "remove" ? `and not with ${named} as well` : `and not for ${action}`;
    throw new QStreamError("OPTION_INVALID", `--all and --older-than are for remove, ${what}`);
  }
  if (several) return;
  if (action === "list") {
    if (execution === "") return;
    throw new QStreamError(
      "OPTION_INVALID",
      `list takes no ${named}: for one execution write qstream executions show ${execution}`,
    );
  }
  if (execution === "") {
    throw new QStreamError("OPTION_INVALID", `${action} wants the id of an execution: qstream executions lists them`);
  }
  if (more.length > 0) throw new QStreamError("OPTION_INVALID", `${action} takes one execution, not ${named}`);
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
  { action, execution, olderThanMs, json }: Command,
  missing: string | undefined,
): Promise<{ readonly text: string; readonly code: number }> {
  switch (action) {
    case "list":
      return { text: await listed(store, json, missing), code: 0 };
    case "show": {
      const shown = await detailsOf(store, await findIn(store, execution));
      return { text: json ? `${await toJson(shown)}\n` : textOf(shown), code: 0 };
    }
    case "remove": {
      if (olderThanMs === undefined) {
        return { text: await removeOne(store, files, await findIn(store, execution), json), code: 0 };
      }
      const startedBefore = olderThanMs === 0 ? Number.POSITIVE_INFINITY : systemClock.now() - olderThanMs;
      return removeMany(store, files, { startedBefore, json });
    }
  }
}

async function listed(store: LineageStore, json: boolean, missing: string | undefined): Promise<string> {
  const rows = (await store.list()).map(summaryOf);
  if (json) return `${await toJson(rows)}\n`;
  if (rows.length > 0) return formatTable(rows, wholeTable);
  return `no executions: ${missing === undefined ? "those that are done aren't kept" : `there is no folder ${missing}`}\n`;
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
