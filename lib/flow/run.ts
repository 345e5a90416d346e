import type { FlowReference } from "../core/flow-registry.ts";
import { haltModule, isSlot } from "../core/flow-registry.ts";
import { decodeArguments, encodeArguments } from "../../actors/slot/arguments.ts";
import { codeHash } from "../code/code-hash.ts";
import { QStreamError } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { aborted, orAborted, reasonOf } from "./aborting.ts";
import { checkResumeOptions, checkRunOptions, slotsOf } from "./check-options.ts";
import { refuseUnsavedState } from "./check-promises.ts";
import type { Execution } from "./execution.ts";
import type { Graph } from "./graph.ts";
import { planGraph } from "./plan-graph.ts";
import { local, type FlowSession, type SessionOptions } from "./session.ts";
import { storeOf } from "./session-lineage.ts";
import { checkSameFlow, checkSameName } from "./stored-flow.ts";

/** How a flow is run. Options of a session apply where none is given by `on`. */
export interface RunOptions extends SessionOptions {
  /** The session to run on; without one, `run` opens one of its own and closes it at the end. */
  readonly on?: FlowSession;
  /** Stops the execution when it aborts. */
  readonly signal?: AbortSignal;
  /** Called for everything that happens. What it throws fails the execution. */
  readonly onEvent?: (event: ExecutionEvent) => void;
  /** Limits other than the defaults. */
  readonly limits?: Partial<Limits>;
  /**
   * Finds operators, sinks and functions on edges that change what they are given, though others may hold the same objects:
   * objects are frozen before a task, so that writing to one throws; bytes, dates, Maps and Sets, which can't be frozen, are
   * compared before and after it. Either is STEP_FAILED and names the step. Slow; for specs. Default false.
   */
  readonly strict?: boolean;
  /**
   * Runs the first task of each channel and a sample of the others twice while all is well, and stops with NONDETERMINISTIC
   * where the second time gives something else, as replay after a loss would. `true` takes one of twenty, `{ share: 1 }` all.
   * For operators with snapshot and restore, and readers that can be read again; `onEvent` hears which steps aren't verified.
   */
  readonly verifyReplay?: boolean | { readonly share: number };
  /** Refuses sinks that may write something twice after a failure. */
  readonly exactlyOnce?: boolean;
}

/** How an execution is gone on with. */
export interface ResumeOptions extends Omit<RunOptions, "limits" | "strict"> {
  /** Accepts other code than it was started with, for a flow of the same steps whose new code takes the old states. */
  readonly upgrade?: boolean;
  /**
   * Goes on with another number of channels: of the steps that are named, or, with `true`, of all as a fresh run on the slots
   * that there are would have. What is on its way is taken first, and states are dealt anew; the execution gets another id.
   * Steps whose channels can't change (sinks; states that can't be dealt) keep theirs, and are refused where they are named.
   */
  readonly rescale?: boolean | Readonly<Record<string, number>>;
}

export interface StartRequest {
  readonly reference: FlowReference;
  readonly args: unknown;
  readonly options: RunOptions;
  readonly prepare: () => { readonly graph: Graph; readonly outputs: Readonly<Record<string, string>> };
}

/** Starts a flow on the session that the options name, or on one of its own. */
export async function startFlow(request: StartRequest): Promise<Execution<Record<string, unknown>>> {
  if (isSlot()) return neverInSlots(request.reference.module);
  const { options } = request;
  checkRunOptions(options);
  const { signal } = options;
  if (signal?.aborted === true) throw aborted(signal);
  const prepared = request.prepare();
  // What is wrong with the flow or its arguments is said before slots are started for it.
  const args = await encodeArguments(request.args);
  if (options.on === undefined) {
    refuseDatasets(prepared.graph);
    planGraph(prepared.graph, { slots: slotsOf(options) });
    if (storeOf(options) !== "none") refuseUnsavedState(prepared.graph);
  }
  return onSession(options, (session) => session.start({ ...request, ...prepared, args }));
}

export interface ResumeRequest {
  readonly reference: FlowReference;
  readonly execution: string;
  readonly options: ResumeOptions;
  readonly prepare: (args: unknown) => { readonly graph: Graph; readonly outputs: Readonly<Record<string, string>> };
}

/** Goes on with an execution that the session's store knows. */
export async function resumeFlow(request: ResumeRequest): Promise<Execution<Record<string, unknown>>> {
  const { reference, execution, options, prepare } = request;
  if (isSlot()) return neverInSlots(reference.module);
  const { upgrade = false, rescale = false, ...given } = options;
  checkResumeOptions(options);
  if (given.signal?.aborted === true) throw aborted(given.signal);
  return onSession(given, async (session) => {
    const stored = await session.findStored(execution);
    const { module, name } = reference;
    const args = await decodeArguments(stored.args);
    const prepared = preparedOr(
      () => prepare(args),
      () => checkSameName(execution, stored, name),
    );
    const now = { flow: name, fingerprint: prepared.graph.fingerprint(), codeHash: await codeHash(module) };
    checkSameFlow(execution, stored, now, upgrade);
    const resumed = { execution, stored, byHand: true };
    const channels = rescale === false ? undefined : rescale;
    return session.start({ reference, options: given, args: stored.args, ...prepared, resumed, rescale: channels });
  });
}

/** What is prepared; where it can't be, as another flow may not even take the arguments, something better to say comes first. */
function preparedOr<T>(prepare: () => T, explain: () => void): T {
  try {
    return prepare();
  } catch (error) {
    explain();
    throw error;
  }
}

/** Starts an execution on the session that the options name, or on one that ends with it. */
async function onSession(
  options: RunOptions,
  start: (session: FlowSession) => Promise<Execution<Record<string, unknown>>>,
): Promise<Execution<Record<string, unknown>>> {
  const opened = options.on ?? (await openSession(options));
  try {
    const execution = await start(opened);
    watchSignal(execution, options.signal);
    if (options.on !== undefined) return execution;
    const closing = closeAfter(execution.outputs, opened);
    // Whoever asks for the outputs gets the error; nobody asking is no unhandled rejection.
    closing.catch(() => {});
    return Object.assign(Object.create(execution) as Execution<Record<string, unknown>>, { outputs: closing });
  } catch (error) {
    if (options.on === undefined) await opened.close();
    throw error;
  }
}

/** Opens a session of the run's own. One whose slots come up after the signal aborted is closed again. */
async function openSession(options: RunOptions): Promise<FlowSession> {
  const opening = local(options);
  try {
    return await orAborted(opening, options.signal);
  } catch (error) {
    opening.then(
      (late) => late.close(),
      () => {},
    );
    throw error;
  }
}

/** A dataset that ends with its own execution could never be read. */
function refuseDatasets(graph: Graph): void {
  const step = graph.steps.find((candidate) => candidate.what === "dataset");
  if (step === undefined) return;
  throw new QStreamError("OPTION_INVALID", `"${step.id}" is a dataset, which lives in a session`, {
    step: step.id,
    advice: "Open a session and run on it: await using session = await local(); await flow.run(args, { on: session })",
  });
}

async function closeAfter<T>(outputs: Promise<T>, session: FlowSession): Promise<T> {
  try {
    return await outputs;
  } finally {
    await session.close();
  }
}

function watchSignal(execution: Execution<unknown>, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const abort = (): void => execution.cancel(reasonOf(signal));
  // It may have aborted while the execution was being started.
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const forget = (): void => signal.removeEventListener("abort", abort);
  execution.outputs.then(forget, forget);
}

/**
 * A module that runs its flow at its top level runs again in each slot that loads it for the flow's code. There `run` never
 * settles: the slot has what it came for, and what follows `await flow.run()` belongs to the first process alone.
 */
function neverInSlots(module: string): Promise<never> {
  haltModule(module);
  return new Promise(() => {});
}
