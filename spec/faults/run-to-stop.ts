// Runs or resumes a flow as `qstream run` does, with checkpoints as often as it is told: a signal stops it.

import { onInterrupt } from "../../lib/cli/interrupt.ts";
import type { Flow } from "../../lib/index.ts";

/** What the program is told, as JSON in its first argument. */
export interface ToldToStop {
  readonly module: string;
  readonly args: object;
  readonly slots: number;
  readonly store: string;
  readonly checkpointEveryMs: number;
  readonly resume: string | undefined;
  readonly rescale: boolean;
  readonly upgrade: boolean;
}

const told = JSON.parse(process.argv[2] ?? "{}") as ToldToStop;
const interrupt = onInterrupt();
const { default: flow } = (await import(told.module)) as { readonly default: Flow<object, Record<string, unknown>> };
const { slots, store, checkpointEveryMs, resume, rescale, upgrade } = told;
const options = { slots, store, checkpointEveryMs, signal: interrupt.signal };
try {
  const limits = { parcelObjects: 200 };
  const execution =
    resume === undefined
      ? await flow.start(told.args, { ...options, limits })
      : await flow.resume(resume, { ...options, rescale, upgrade });
  await execution.outputs;
} catch (error) {
  console.error(error);
  process.exitCode = interrupt.exitCode ?? 1;
} finally {
  interrupt.forget();
}
