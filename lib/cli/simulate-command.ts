import { writeFileSync } from "node:fs";
import { QStreamError } from "../core/errors.ts";
import { quoted } from "../core/quoted.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import type { Flow } from "../flow/define-flow.ts";
import { checkSeeds, excusedErrors, type SeedsReport } from "../testing/simulation/index.ts";
import { describeError } from "./describe-error.ts";
import { helpOf, usageError } from "./help.ts";
import { loadFlow } from "./load-flow.ts";
import { checkTarget } from "./outputs.ts";
import { parseSimulateOptions, repeatingWords, type SimulateOptions } from "./simulate-options.ts";

type Outs = Record<string, unknown>;

// Milliseconds between two lines of progress.
const progressEveryMs = 2000;

/** `qstream simulate`. Returns the exit code: 0 all seeds gave the same, 1 one didn't, 2 the command was wrong. */
export async function simulateCommand(words: readonly string[]): Promise<number> {
  let options: SimulateOptions;
  try {
    options = parseSimulateOptions(words);
  } catch (error) {
    process.stderr.write(usageError((error as Error).message, "simulate"));
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpOf("simulate"));
    return 0;
  }
  let flow: Flow<object, Outs>;
  let args: object;
  try {
    if (options.json !== undefined && options.json !== "-") checkTarget(options.json);
    flow = await loadFlow(options.flow);
    args = options.settings.args ?? parseArguments(flow.name, flow.schema, options.args);
  } catch (error) {
    if (!(error instanceof QStreamError)) throw error;
    process.stderr.write(`${describeError(error)}\n`);
    return 2;
  }
  try {
    const simulated = await simulateSeeds(options, flow, args);
    const code = report(options, simulated);
    const depending = code === 0 || simulated.failure?.error !== undefined ? [] : dependingOnOrder(flow, args);
    if (depending.length > 0) process.stderr.write(`${orderAdvice(depending)}\n`);
    return code;
  } catch (error) {
    process.stderr.write(`without any fault:\n${describeError(error)}\n`);
    return 1;
  }
}

interface Simulated extends SeedsReport<Outs> {
  readonly trace: string | undefined;
}

async function simulateSeeds(options: SimulateOptions, flow: Flow<object, Outs>, args: object): Promise<Simulated> {
  const { seeds, from, faults, slots, parcelObjects, checkpointEveryMs, attempts } = options;
  const { args: _args, limits, ...settings } = options.settings;
  let trace: string | undefined;
  let saidAt = performance.now();
  let done = 0;
  const simulated = await checkSeeds<object, Outs>(flow, args, {
    seeds,
    from,
    faults,
    slots,
    checkpointEveryMs,
    attempts,
    limits: { parcelObjects, ...limits },
    ...settings,
    traces: options.trace,
    // A store or drive that fails for good may end an execution, but not with a wrong result.
    acceptErrors: excusedErrors,
    command: (seed) => commandOf(options, seed),
    onSeed: (seed) => {
      if (options.trace) trace = seed.trace.toString();
      done++;
      if (performance.now() - saidAt < progressEveryMs) return;
      saidAt = performance.now();
      process.stderr.write(`${done} of ${seeds} seeds\n`);
    },
  });
  return { ...simulated, trace };
}

function report(options: SimulateOptions, simulated: Simulated): number {
  const { seeds, failure, refused, elapsedMs, faults, faultPhases, virtualMs, tasks } = simulated;
  if (options.trace) process.stdout.write(`${failure?.report.trace.toString() ?? simulated.trace ?? ""}\n`);
  if (options.json !== undefined) {
    const failed =
      failure === undefined ? undefined : { seed: failure.seed, reason: failure.reason, command: failure.command };
    const summary = { seeds, failure: failed, refused, faults, faultPhases, virtualMs, tasks, elapsedMs };
    const text = `${JSON.stringify(summary, undefined, 2)}\n`;
    if (options.json === "-") process.stdout.write(text);
    else writeFileSync(options.json, text);
  }
  const struck = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  process.stderr.write(
    `${seeds} ${seeds === 1 ? "seed" : "seeds"} in ${(elapsedMs / 1000).toFixed(1)} s; faults: ${struck.join(", ") || "none"}\n`,
  );
  if (refused > 0) process.stderr.write(`${refused} ended with an error that these faults excuse\n`);
  if (failure === undefined) return 0;
  process.stderr.write(`${failure.reason}\n`);
  if (failure.error !== undefined) process.stderr.write(`${describeError(failure.error)}\n`);
  process.stderr.write(`To see it again: ${failure.command}\n`);
  return 1;
}

/** The steps whose result may depend on the order in which their inputs come, as the plan shows them. */
function dependingOnOrder(flow: Flow<object, Outs>, args: object): readonly string[] {
  const steps = flow.explain(args).matchAll(/^(?<step>.+): operator .*, (?<what>order sensitive|arbitrary choice)$/gmu);
  return [...steps].map(({ groups }) => `${groups?.["step"]} (${groups?.["what"]})`);
}

function orderAdvice(steps: readonly string[]): string {
  return `This flow may have several right results, because of ${steps.join(", ")}.
Compare as fits it, by checkSeeds of qstream/testing with accept; or declare the step confluent, if it is`;
}

function commandOf(options: SimulateOptions, seed: number): string {
  return ["npx qstream simulate", quoted(options.flow), ...repeatingWords(options, seed).map(quoted)].join(" ");
}
