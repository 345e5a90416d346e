import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { loadBatches, representationOf } from "../core/batch/index.ts";
import { QStreamError } from "../core/errors.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import type { Flow } from "../flow/define-flow.ts";
import type { Execution } from "../flow/execution.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { describeError } from "./describe-error.ts";
import { showProgress } from "./display/progress.ts";
import { formatSteps, formatSummary } from "./display/summary.ts";
import { formatTable } from "./display/table.ts";
import { helpOf, usageError } from "./help.ts";
import { noInterrupt, onInterrupt, type Interrupt } from "./interrupt.ts";
import { toJson } from "./json.ts";
import { loadFlow } from "./load-flow.ts";
import { quoted } from "./quoted.ts";
import { parseRunOptions, type RunCommandOptions } from "./run-options.ts";

type AnyFlow = Flow<object, Record<string, unknown>>;

const rowsShown = 20;

/** `qstream run`. Returns the exit code: 0 success, 1 it failed, 2 the command was wrong, 129, 130 and 143 stopped by a signal. */
export async function runCommand(words: readonly string[]): Promise<number> {
  let options: RunCommandOptions;
  try {
    options = parseRunOptions(words);
  } catch (error) {
    process.stderr.write(usageError((error as Error).message, "run"));
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpOf("run"));
    return 0;
  }
  // What modules print while they load is user output too.
  const printJson = options.json === "-" ? takeStandardOutput() : undefined;
  const interrupt = options.isolation === "none" ? noInterrupt : onInterrupt();
  try {
    const prepared = await prepare(options);
    if (typeof prepared === "string") {
      process.stderr.write(`${prepared}\n`);
      return 2;
    }
    return await runFlow(options, prepared, { printJson, interrupt });
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return interrupt.exitCode ?? 1;
  } finally {
    interrupt.forget();
  }
}

interface Prepared {
  readonly flow: AnyFlow;
  readonly args: Record<string, unknown>;
}

/** Loads the flow and parses its arguments; a text says what is wrong with the command. */
async function prepare(options: RunCommandOptions): Promise<Prepared | string> {
  try {
    if (options.json !== undefined && options.json !== "-") checkTarget(options.json);
    const flow = await loadFlow(options.flow);
    // An execution that is gone on with has its arguments.
    const args = options.resume === undefined ? parseArguments(flow.name, flow.schema, options.args) : {};
    return { flow, args };
  } catch (error) {
    if (error instanceof QStreamError) return describeError(error);
    throw error;
  }
}

/** Refuses a file that couldn't be written before the flow has run for hours. */
function checkTarget(file: string): void {
  const folder = dirname(resolve(file));
  if (existsSync(folder) && !(existsSync(file) && statSync(file).isDirectory())) return;
  throw new QStreamError(
    "PATH_NOT_FOUND",
    `--json ${file}: ${existsSync(folder) ? "this is a folder" : `there is no folder ${folder}`}`,
    {
      advice: "Give the path of a file in a folder that exists, or - for standard output",
    },
  );
}

async function runFlow(
  options: RunCommandOptions,
  { flow, args }: Prepared,
  { printJson, interrupt }: { readonly printJson: ((text: string) => void) | undefined; readonly interrupt: Interrupt },
): Promise<number> {
  const slots = options.slots === undefined ? {} : { slots: options.slots };
  if (options.explain !== undefined) {
    process.stdout.write(flow.explain(args, { as: options.explain, ...slots }));
    return 0;
  }
  const quiet = options.quiet || options.json === "-";
  const runOptions = {
    isolation: options.isolation,
    store: options.store,
    stdout: options.json === "-" ? "stderr" : "inherit",
    signal: interrupt.signal,
    ...slots,
    ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
    ...(options.checkpoints === undefined ? {} : { checkpoints: options.checkpoints }),
    ...(options.turnMs === undefined ? {} : { turnMs: options.turnMs }),
    ...(options.verifyReplay === undefined ? {} : { verifyReplay: options.verifyReplay }),
    ...(quiet ? {} : { onEvent: showProgress() }),
  } as const;
  const execution =
    options.resume === undefined
      ? await flow.start(args, runOptions)
      : await flow.resume(options.resume, { ...runOptions, upgrade: options.upgrade });
  const outputs = await execution.outputs.catch((error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    if (canGoOn(options.store, error))
      process.stderr.write(`To go on with it: ${resumingCommand(options, execution.id)}\n`);
    return undefined;
  });
  if (outputs === undefined) return interrupt.exitCode ?? 1;
  if (options.json !== undefined) {
    const text = `${await toJson({ execution: execution.id, outputs, metrics: execution.metrics })}\n`;
    if (printJson === undefined) writeFileSync(options.json, text);
    else printJson(text);
  }
  if (!quiet) await printOutputs(outputs, execution);
  return 0;
}

/** False where nothing of the execution outlives this process, or another process has it. */
function canGoOn(store: string, error: unknown): boolean {
  const lost = error instanceof QStreamError && (error.code === "EXECUTION_TAKEN" || error.code === "STORE_LOST");
  return store !== "none" && store !== "memory" && !lost;
}

/** The command that goes on with an execution. A store that isn't the usual one is named, but for one with a password. */
function resumingCommand({ flow, store, checkpoints }: RunCommandOptions, execution: string): string {
  const usual = store === storeOf({});
  const named = usual ? "" : ` --store ${/\/\/.*@/u.test(store) ? "URL" : quoted(store)}`;
  const place = checkpoints === undefined ? "" : ` --checkpoints ${quoted(checkpoints)}`;
  return `npx qstream run ${quoted(flow)} --resume ${execution}${named}${place}`;
}

async function printOutputs(outputs: Readonly<Record<string, unknown>>, execution: Execution<unknown>): Promise<void> {
  for (const [name, value] of Object.entries(outputs)) {
    process.stdout.write(`\n${name}\n${await tableOf(value)}`);
  }
  if (execution.metrics !== undefined)
    process.stderr.write(`\n${formatSteps(execution.metrics)}\n${formatSummary(execution.metrics)}`);
}

/** An output as a table; of columnar batches, their first rows. */
async function tableOf(value: unknown): Promise<string> {
  const objects: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (representationOf(objects[0]) === undefined) return formatTable(objects, { rowsMax: rowsShown });
  const batches = await loadBatches();
  const rows: unknown[] = [];
  let rowsAll = 0;
  for (const batch of objects) {
    const wanted = Math.min(batches.rows(batch), rowsShown - rows.length);
    if (wanted > 0) rows.push(...batches.toObjects(batches.slice(batch, 0, wanted)));
    rowsAll += batches.rows(batch);
  }
  return formatTable(rows, { rowsMax: rowsShown, rowsAll });
}

/** Keeps standard output for the JSON document: what user code prints goes to standard error. */
function takeStandardOutput(): (text: string) => void {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = process.stderr.write.bind(process.stderr) as typeof stdout.write;
  return (text) => void write(text);
}
