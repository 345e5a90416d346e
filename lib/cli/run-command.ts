import { cluster } from "../cluster/open-cluster.ts";
import { QStreamError } from "../core/errors.ts";
import { quoted } from "../core/quoted.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import type { Flow } from "../flow/define-flow.ts";
import type { Execution } from "../flow/execution.ts";
import type { RunOptions } from "../flow/run.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { describeError } from "./describe-error.ts";
import { showProgress } from "./display/progress.ts";
import { helpOf, usageError } from "./help.ts";
import { noInterrupt, onInterrupt, type Interrupt } from "./interrupt.ts";
import { loadFlow } from "./load-flow.ts";
import { checkTarget, giveOutputs, takeStandardOutput, type PrintAlone } from "./outputs.ts";
import { parseRunOptions, type RunCommandOptions } from "./run-options.ts";

type AnyFlow = Flow<object, Record<string, unknown>>;

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
  const printAlone = options.json === "-" || options.detach ? takeStandardOutput() : undefined;
  const interrupt = options.isolation === "none" ? noInterrupt : onInterrupt();
  try {
    const prepared = await prepare(options);
    if (typeof prepared === "string") {
      process.stderr.write(`${prepared}\n`);
      return 2;
    }
    return await runFlow(options, prepared, { printAlone, interrupt });
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

async function runFlow(
  options: RunCommandOptions,
  { flow, args }: Prepared,
  { printAlone, interrupt }: { readonly printAlone: PrintAlone | undefined; readonly interrupt: Interrupt },
): Promise<number> {
  const slots = options.slots === undefined ? {} : { slots: options.slots };
  if (options.explain !== undefined) {
    process.stdout.write(flow.explain(args, { as: options.explain, store: options.store, ...slots }));
    return 0;
  }
  const quiet = options.quiet || options.json === "-";
  const common = {
    signal: interrupt.signal,
    ...(options.attempts === undefined ? {} : { attempts: options.attempts }),
    ...(options.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: options.checkpointEveryMs }),
    ...(options.verifyReplay === undefined ? {} : { verifyReplay: options.verifyReplay }),
    ...(quiet || options.detach ? {} : { onEvent: showProgress() }),
  };
  await using session = options.cluster === undefined ? undefined : await cluster(options.cluster);
  const execution = await startFlow(
    options,
    { flow, args },
    session === undefined ? { ...localOptions(options), ...common } : { on: session, ...common },
  );
  if (!quiet && options.rescale !== undefined) process.stderr.write(`${rescaledLine(options, execution.id)}\n`);
  if (options.cluster !== undefined && options.detach) {
    printAlone?.(`${execution.id}\n`);
    if (!quiet)
      process.stderr.write(
        `To follow it: npx qstream follow ${execution.id} --cluster ${quoted(options.cluster.url)}\n`,
      );
    return 0;
  }
  const outputs = await execution.outputs.catch((error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    const begun = execution.metrics !== undefined;
    if (canGoOn(options, error, begun))
      process.stderr.write(`To go on with it: ${resumingCommand(options, execution.id)}\n`);
    return undefined;
  });
  if (outputs === undefined) return interrupt.exitCode ?? 1;
  await giveOutputs(outputs, execution, { json: options.json, printAlone, quiet });
  return 0;
}

function startFlow(
  { resume, upgrade, rescale }: RunCommandOptions,
  { flow, args }: Prepared,
  runOptions: RunOptions,
): Promise<Execution<Record<string, unknown>>> {
  if (resume === undefined) return flow.start(args, runOptions);
  return flow.resume(resume, { ...runOptions, upgrade, rescale: rescale ?? false });
}

/** One that got other channels has another id: what --resume and qstream executions know from now on. */
function rescaledLine({ resume }: RunCommandOptions, execution: string): string {
  if (execution === resume) return `Execution ${execution} keeps the channels that it has`;
  return `Execution ${resume} goes on as ${execution}, with other channels`;
}

/** Options of the session that a run on this machine opens. */
function localOptions(options: RunCommandOptions): RunOptions {
  return {
    isolation: options.isolation,
    store: options.store,
    stdout: options.json === "-" ? "stderr" : "inherit",
    ...(options.slots === undefined ? {} : { slots: options.slots }),
    ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
    ...(options.checkpoints === undefined ? {} : { checkpoints: options.checkpoints }),
    ...(options.turnMs === undefined ? {} : { turnMs: options.turnMs }),
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(options.storeWaitMs === undefined ? {} : { storeWaitMs: options.storeWaitMs }),
  };
}

const notOver: readonly unknown[] = ["EXECUTION_TAKEN", "STORE_LOST"];
// Of these a cluster's client doesn't know how its execution ended.
const notHeard: readonly unknown[] = [...notOver, "EXECUTION_UNKNOWN", "MACHINE_UNREACHABLE", "SESSION_CLOSED"];

/**
 * False where nothing of the execution outlives this process, or another process has it.
 *
 * @param begun - on a cluster it may fail before anything of it is kept
 */
function canGoOn({ store, cluster: place }: RunCommandOptions, error: unknown, begun: boolean): boolean {
  const code = error instanceof QStreamError ? error.code : undefined;
  if (place !== undefined) return begun && !notHeard.includes(code);
  return store !== "none" && store !== "memory" && !notOver.includes(code);
}

/** The command that goes on with an execution. A store that isn't the usual one is named, but for one with a password. */
function resumingCommand(options: RunCommandOptions, execution: string): string {
  const { flow, store, checkpoints } = options;
  if (options.cluster !== undefined) {
    return `npx qstream run ${quoted(flow)} --resume ${execution} --cluster ${quoted(options.cluster.url)}`;
  }
  const usual = store === storeOf({});
  const named = usual ? "" : ` --store ${/\/\/.*@/u.test(store) ? "URL" : quoted(store)}`;
  const place = checkpoints === undefined ? "" : ` --checkpoints ${quoted(checkpoints)}`;
  return `npx qstream run ${quoted(flow)} --resume ${execution}${named}${place}`;
}
