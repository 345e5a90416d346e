import { closeSync, existsSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { loadBatches, representationOf } from "../core/batch/index.ts";
import { QStreamError } from "../core/errors.ts";
import type { Execution } from "../flow/execution.ts";
import { formatSteps, formatSummary } from "./display/summary.ts";
import { formatTable } from "./display/table.ts";
import { toJson } from "./json.ts";

// What becomes of an execution's outputs on the command line: tables, or a JSON document.

const rowsShown = 20;

/** Writes to what was standard output, where nothing else comes. */
export type PrintAlone = (text: string) => void;

/** Refuses a file that couldn't be written before the flow has run for hours. */
export function checkTarget(file: string): void {
  const path = resolve(file);
  const folder = dirname(path);
  const why = existsSync(folder) ? whyNotWritten(path) : `there is no folder ${folder}`;
  if (why === undefined) return;
  throw new QStreamError("PATH_NOT_FOUND", `--json ${file}: ${why}`, {
    advice: "Give the path of a file in a folder that exists, or - for standard output",
  });
}

/** Tries it: a folder's permissions don't tell whether its file system takes files. What is no file, as a pipe, isn't opened. */
function whyNotWritten(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return "this is a folder";
    if (found !== undefined && !found.isFile()) return undefined;
    closeSync(openSync(path, "a"));
    if (found === undefined) rmSync(path);
    return undefined;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return `no file can be written there${code === "" ? "" : ` (${code})`}`;
  }
}

/** Keeps standard output for a JSON document, or an id: what user code prints goes to standard error. */
export function takeStandardOutput(): PrintAlone {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = process.stderr.write.bind(process.stderr) as typeof stdout.write;
  return (text) => void write(text);
}

/** Prints outputs as tables unless `quiet`, and writes them to the file that --json names, if it does. */
export async function giveOutputs(
  outputs: Readonly<Record<string, unknown>>,
  execution: Execution<unknown>,
  to: { readonly json: string | undefined; readonly printAlone: PrintAlone | undefined; readonly quiet: boolean },
): Promise<void> {
  const { id, metrics } = execution;
  if (to.json !== undefined) {
    const text = `${await toJson({ execution: id, outputs, metrics })}\n`;
    if (to.printAlone === undefined) writeFileSync(to.json, text);
    else to.printAlone(text);
  }
  if (to.quiet) return;
  for (const [name, value] of Object.entries(outputs)) process.stdout.write(`\n${name}\n${await tableOf(value)}`);
  if (metrics !== undefined) process.stderr.write(`\n${formatSteps(metrics)}\n${formatSummary(metrics)}`);
}

/** An output as a table; of columnar batches, their first rows. */
async function tableOf(value: unknown): Promise<string> {
  const files = filesOf(value);
  if (files !== undefined) return `${formatTable([{ ...(value as object), files: files.length }])}${listOf(files)}`;
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

/** Of what a sink of files has written: names to be copied, which a cell would cut. */
function filesOf(value: unknown): readonly string[] | undefined {
  const { files } = (value ?? {}) as { readonly files?: unknown };
  return Array.isArray(files) && files.every((file) => typeof file === "string") ? files : undefined;
}

const filesShown = 100;

function listOf(files: readonly string[]): string {
  const rest = files.length - filesShown;
  const names = files.slice(0, filesShown).map((file) => `  ${file.replaceAll(/\p{Cc}/gu, "�")}\n`);
  return `${names.join("")}${rest > 0 ? `  ... and ${rest.toLocaleString("en-US")} more\n` : ""}`;
}
