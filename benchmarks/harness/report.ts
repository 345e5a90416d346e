import { meets, type Bar, type Benchmark, type Measured } from "./benchmark.ts";
import { round } from "./contest.ts";
import type { Machine } from "./machine.ts";

/** A case as the JSON document has it. `error` is there instead of a value if the case failed. */
export interface CaseReport {
  readonly name: string;
  readonly workload: string;
  readonly unit: Benchmark["unit"];
  readonly bar: Bar;
  readonly value?: number;
  readonly met: boolean;
  readonly details?: Measured["details"];
  readonly error?: string;
}

export interface Report {
  readonly machine: Machine;
  readonly cases: readonly CaseReport[];
  /** The figure of each case by its name. */
  readonly ratios: Readonly<Record<string, number>>;
}

export function reportCase(
  benchmark: Omit<Benchmark, "measure">,
  measured: Measured | undefined,
  error: string | undefined,
): CaseReport {
  const { name, workload, unit, bar } = benchmark;
  if (measured === undefined) return { name, workload, unit, bar, met: false, error: error ?? "it gave no figure" };
  return {
    name,
    workload,
    unit,
    bar,
    value: measured.value,
    met: meets(bar, measured.value),
    details: measured.details,
  };
}

export function reportAll(machine: Machine, cases: readonly CaseReport[]): Report {
  const ratios: Record<string, number> = {};
  for (const { name, value } of cases) if (value !== undefined) ratios[name] = value;
  return { machine, cases, ratios };
}

/** The report as lines of text, in Markdown, so that it can be pasted into a page. */
export function formatReport({ machine, cases }: Report): string {
  const rows = cases.map((one) => [
    one.name,
    one.value === undefined ? "failed" : `${round(one.value)} ${one.unit}`,
    "atLeast" in one.bar ? `>= ${one.bar.atLeast}` : `<= ${one.bar.atMost}`,
    one.met ? "met" : "NOT met",
    one.error ??
      `${one.details?.["ours"] ?? ""}${one.details?.["peer"] === undefined ? "" : ` / ${one.details["peer"]}`}`,
  ]);
  const head = ["name", "figure", "bar", "", "ours / peer"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}, ${machine.date}`;
  return [where, "", line(head), rule, ...rows.map(line), ""].join("\n");
}
