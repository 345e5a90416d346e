// npm run bench [-- NAME...] [--json FILE|-]: runs each case in a fresh process, one after the other.

import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchmarks } from "./cases/index.ts";
import type { Benchmark, Measured } from "./harness/benchmark.ts";
import { describeMachine } from "./harness/machine.ts";
import { formatReport, reportAll, reportCase, type CaseReport } from "./harness/report.ts";

interface Outcome {
  readonly description: Omit<Benchmark, "measure">;
  readonly measured?: Measured;
  readonly error?: string;
}

const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });
const known = Object.keys(benchmarks);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark ${unknown.join(", ")}. There are: ${known.join(", ")}\n`);
  process.exit(2);
}

const reports: CaseReport[] = [];
for (const name of positionals.length > 0 ? positionals : known) {
  process.stderr.write(`${name} ...\n`);
  const report = await runCase(name);
  const figure = report.value === undefined ? report.error : `${report.value.toPrecision(3)} ${report.unit}`;
  process.stderr.write(`${name}: ${figure} ${report.met ? "" : "(bar not met)"}\n`);
  for (const [key, value] of Object.entries(report.details ?? {})) process.stderr.write(`    ${key}: ${value}\n`);
  reports.push(report);
}

const report = reportAll(describeMachine(), reports);
if (values.json !== "-") process.stdout.write(`\n${formatReport(report)}`);
const document = `${JSON.stringify(report, undefined, 2)}\n`;
if (values.json === "-") process.stdout.write(document);
else if (values.json !== undefined) writeFileSync(values.json, document);
process.exitCode = reports.some((one) => one.error !== undefined) ? 1 : 0;

/** Runs one case in a process of its own, whose standard output goes to ours of errors: JSON may be on the other. */
async function runCase(name: string): Promise<CaseReport> {
  const child = fork(new URL("./run-case.js", import.meta.url), [name], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", process.stderr, process.stderr, "ipc"],
  });
  let outcome: Outcome | undefined;
  child.on("message", (message: Outcome) => {
    outcome = message;
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (outcome !== undefined) return reportCase(outcome.description, outcome.measured, outcome.error);
  const load = benchmarks[name as keyof typeof benchmarks];
  return reportCase((await load()).benchmark, undefined, `its process ended with code ${String(code)}`);
}
