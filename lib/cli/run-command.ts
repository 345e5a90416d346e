import { writeFileSync } from "node:fs";
import { QStreamError } from "../core/errors.ts";
import type { Execution } from "../flow/execution.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import { showProgress } from "./display/progress.ts";
import { formatSteps, formatSummary } from "./display/summary.ts";
import { formatTable } from "./display/table.ts";
import { helpOf, usageError } from "./help.ts";
import { toJson } from "./json.ts";
import { loadFlow } from "./load-flow.ts";
import { parseRunOptions, type RunCommandOptions } from "./run-options.ts";

// A slot stuck in a native call gets this long after Ctrl-C; then the process ends with it.
const interruptGraceMs = 2500;

/** `qstream run`. Returns the exit code. */
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
  const printJson = options.json === "-" ? takeStandardOutput() : undefined;
  try {
    return await runFlow(options, printJson);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return error instanceof QStreamError && error.code === "ABORTED" ? 130 : 1;
  }
}

async function runFlow(options: RunCommandOptions, printJson: ((text: string) => void) | undefined): Promise<number> {
  const flow = await loadFlow(options.flow);
  const args = parseArguments(flow.name, flow.schema, options.args);
  if (options.explain !== undefined) {
    process.stdout.write(flow.explain(args, { as: options.explain, ...(options.slots === undefined ? {} : { slots: options.slots }) }));
    return 0;
  }
  const quiet = options.quiet || options.json === "-";
  const execution = await flow.start(args, {
    isolation: options.isolation,
    stdout: options.json === "-" ? "stderr" : "inherit",
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
    ...(quiet ? {} : { onEvent: showProgress() }),
  });
  const forget = stopOnInterrupt(execution);
  try {
    const outputs = await execution.outputs;
    if (options.json !== undefined) {
      const text = `${toJson({ execution: execution.id, outputs, metrics: execution.metrics })}\n`;
      if (printJson === undefined) writeFileSync(options.json, text);
      else printJson(text);
    }
    if (!quiet) printOutputs(outputs, execution);
    return 0;
  } finally {
    forget();
  }
}

function printOutputs(outputs: Readonly<Record<string, unknown>>, execution: Execution<unknown>): void {
  for (const [name, value] of Object.entries(outputs)) {
    process.stdout.write(`\n${name}\n${formatTable(Array.isArray(value) ? value : [value])}`);
  }
  if (execution.metrics !== undefined) process.stderr.write(`\n${formatSteps(execution.metrics)}\n${formatSummary(execution.metrics)}`);
}

/** The first Ctrl-C stops the execution; a slot that doesn't stop, or a second Ctrl-C, ends the process. */
function stopOnInterrupt(execution: Execution<unknown>): () => void {
  let interrupted = false;
  const stop = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    process.stderr.write("\nstopping; press Ctrl-C again to end at once\n");
    execution.cancel("interrupted by Ctrl-C");
    setTimeout(() => process.exit(130), interruptGraceMs).unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
}

/** Keeps standard output for the JSON document: what user code prints goes to standard error. */
function takeStandardOutput(): (text: string) => void {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = process.stderr.write.bind(process.stderr) as typeof stdout.write;
  return (text) => void write(text);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `qstream: ${String(error)}`;
  const lines = [`qstream: ${error instanceof QStreamError ? `[${error.code}] ` : ""}${error.message}`];
  for (let cause = error.cause; cause instanceof Error && lines.length < 5; cause = cause.cause) {
    if (!error.message.includes(cause.message)) lines.push(`  because: ${cause.message}`);
    const frame = (cause.stack ?? "").split("\n").find((line) => line.includes("at ") && !line.includes("node:internal") && !line.includes("/dist/"));
    if (frame !== undefined) lines.push(`  ${frame.trim()}`);
  }
  return lines.join("\n");
}
