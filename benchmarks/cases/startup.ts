import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round, timed } from "../harness/contest.ts";

const rounds = 15;
const commandLine = fileURLToPath(new URL("../../lib/cli/main.js", import.meta.url));
const flow = fileURLToPath(new URL("../flows/empty.js", import.meta.url));

export const benchmark: Benchmark = {
  name: "startup",
  workload: "an empty flow through the command line, from the start of its process to the end",
  bar: { atMost: 600 },
  unit: "ms",
  measure,
};

async function measure(): Promise<Measured> {
  const times: number[] = [];
  for (let attempt = 0; attempt <= rounds; attempt++) {
    times.push((await timed({ name: "qstream run", run: () => runFlow() }, attempt)).ms);
  }
  const [first = 0, ...warm] = times;
  return {
    value: median(warm),
    details: { ours: `${round(median(warm))} ms`, first: `${round(first)} ms`, ourRounds: warm.map(round).join(" ") },
  };
}

async function runFlow(): Promise<void> {
  const child = spawn(process.execPath, [commandLine, "run", flow, "--store", "none", "--json", "-"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const { outputs } = JSON.parse(text) as { readonly outputs: { readonly nothing: readonly unknown[] } };
  if (code !== 0 || outputs.nothing.length > 0) throw new Error(`the command line ended with code ${String(code)}`);
}
