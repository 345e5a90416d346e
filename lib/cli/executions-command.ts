import { parseArgs } from "node:util";
import { openStore } from "../../actors/stores/open-store.ts";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import type { LineageStore, StoredExecution } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import { defaultStore } from "../flow/session-lineage.ts";
import { decodeStoredFlow, type StoredFlow } from "../flow/stored-flow.ts";
import { describeError } from "./describe-error.ts";
import { formatTable } from "./display/table.ts";
import { helpOf, usageError } from "./help.ts";
import { toJson } from "./json.ts";

interface Command {
  readonly action: "list" | "show" | "remove";
  readonly execution: string;
  readonly store: string;
  readonly json: boolean;
}

/** `qstream executions`. Returns the exit code: 0 success, 1 there is no such execution or store, 2 the command was wrong. */
export async function executionsCommand(words: readonly string[]): Promise<number> {
  let command: Command | undefined;
  try {
    command = parse(words);
  } catch (error) {
    process.stderr.write(usageError((error as Error).message, "executions"));
    return 2;
  }
  if (command === undefined) {
    process.stdout.write(helpOf("executions"));
    return 0;
  }
  try {
    const store = await openStore(command.store);
    try {
      process.stdout.write(await perform(store, command));
    } finally {
      await store.close();
    }
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      store: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const [action = "list", execution, ...more] = positionals;
  const common = { store: values.store ?? defaultStore, json: values.json === true };
  if (action === "list" && execution === undefined) return { action, execution: "", ...common };
  if ((action === "show" || action === "remove") && execution !== undefined && more.length === 0) {
    return { action, execution, ...common };
  }
  throw new QStreamError("OPTION_INVALID", `"${positionals.join(" ")}": list, show EXECUTION or remove EXECUTION`);
}

async function perform(store: LineageStore, { action, execution, json }: Command): Promise<string> {
  switch (action) {
    case "list": {
      const rows = (await store.list()).map(summaryOf);
      if (json) return `${await toJson(rows)}\n`;
      return rows.length === 0
        ? "no executions: those that are done aren't kept\n"
        : formatTable(rows, { rowsMax: 1000 });
    }
    case "show": {
      const found = await findIn(store, execution);
      const shown = await detailsOf(store, found);
      return json ? `${await toJson(shown)}\n` : textOf(shown);
    }
    case "remove":
      await findIn(store, execution);
      await store.drop(execution);
      return json ? `${await toJson({ removed: execution })}\n` : `removed ${execution}\n`;
  }
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
  readonly args: unknown;
  readonly channels: readonly Record<string, unknown>[];
}

async function detailsOf(store: LineageStore, found: StoredExecution): Promise<Details> {
  const { execution, status, createdAt, description } = found;
  const stored = decodeStoredFlow(execution, description);
  const { flow, module, codeHash } = stored;
  return {
    execution,
    status,
    started: new Date(createdAt).toISOString(),
    flow,
    module,
    codeHash,
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
  return `${lines.join("\n")}\narguments  ${JSON.stringify(args)}\n\n${formatTable(channels, { rowsMax: 1000 })}`;
}
