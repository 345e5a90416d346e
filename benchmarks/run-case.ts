// The process of one case: measures it and tells the process that started it.

import { benchmarks } from "./cases/index.ts";

const name = process.argv[2] ?? "";
const load = benchmarks[name as keyof typeof benchmarks];
if (load === undefined) throw new Error(`there is no benchmark "${name}"`);
const { benchmark } = await load();
const { measure, ...description } = benchmark;
try {
  tell({ description, measured: await measure() });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  tell({ description, error: error instanceof Error ? error.message : String(error) });
}

function tell(outcome: unknown): void {
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(outcome, undefined, 2)}\n`);
  else process.send(outcome as object, () => process.disconnect());
}
