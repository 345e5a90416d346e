import type { ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import { delay } from "../../core/seam/clock.ts";
import { QStreamError, type ErrorCode } from "../../core/errors.ts";
import type { Random } from "../../core/seam/random.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { Execution } from "../../flow/execution.ts";
import type { SessionStart } from "../../flow/session.ts";
import { describeMoves } from "./describe.ts";
import { pick } from "./faults.ts";
import type { InvariantsByExecution } from "./invariants-by-execution.ts";
import { SimulatedClient, type SimulatedClientOptions } from "./simulated-client.ts";
import type { SimulationOptions } from "./simulation-options.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface FlowUserParts {
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly invariants: InvariantsByExecution | undefined;
  readonly options: SimulationOptions;
  readonly client: SimulatedClientOptions;
  /** Draws how many slots there are when an execution is gone on with. */
  readonly random: Random;
}

/** An execution that is wanted, whatever becomes of those who run it. */
interface Wanted<Outs> {
  /** Its name, which is another one once it has got other channels. */
  id: string;
  /** Its present life; undefined where it was stopped before it had one. */
  execution: Execution<Outs> | undefined;
  outputs: Outs | undefined;
}

/** Milliseconds after which somebody tries again to go on with an execution whose store, or any slot, couldn't be had. */
const resumeAgainMs = 40;
/** Milliseconds that what was stopped gets to end in order: as the command line has it. */
const graceMs = 2500;
/** Milliseconds after which somebody is tired of waiting for that, at most. */
const impatientMs = 4;
// Of those who stop executions.
const impatientShare = 0.3;
const staysShare = 0.6;

/**
 * Whoever wants what executions of a flow give: starts them, and goes on with what isn't done, as `--resume` does, once it was
 * stopped or everything was killed.
 */
export class FlowUser<Outs extends Record<string, unknown>> {
  readonly #parts: FlowUserParts;
  readonly #slotCount: number;
  #client: SimulatedClient;
  #wanted: readonly Wanted<Outs>[] = [];
  /** What the executions were started with. */
  #started: ReadonlyMap<string, SessionStart> = new Map();
  /** Executions that somebody could go on with; none while nothing runs. */
  #running: readonly string[] = [];
  #downMs = 0;
  /** Who stopped goes on in the same session. */
  #stays = false;
  /** Some were done when everything was killed: what they hadn't tidied up by then stays. */
  doneAtKill = false;
  /** Channels that went elsewhere since the load wasn't even. */
  moves = 0;
  /** How often an execution got other channels. */
  rescaled = 0;
  /** What was left behind by those who had been stopped, and closed their session. */
  readonly leftAtStops: string[] = [];

  constructor(parts: FlowUserParts) {
    this.#parts = parts;
    this.#slotCount = parts.client.slotCount;
    this.#client = this.#open(this.#slotCount);
  }

  /** The present life of what the executions are run from. */
  get client(): SimulatedClient {
    return this.#client;
  }

  /** The present lives of the executions. */
  get living(): readonly Execution<Outs>[] {
    return this.#wanted.flatMap(({ execution }) => (execution === undefined ? [] : [execution]));
  }

  /** Of those that are done. */
  get outputs(): readonly Outs[] {
    return this.#wanted.flatMap(({ outputs }) => (outputs === undefined ? [] : [outputs]));
  }

  /**
   * Runs a flow until all its executions are done. The session stays open.
   *
   * @param started - called once they run
   */
  async run<Args extends object>(flow: Flow<Args, Outs>, args: Args, started: () => void): Promise<void> {
    const { limits = {}, strict = true, verifyReplay = false, atOnce = 1 } = this.#parts.options;
    const start = flow.start as unknown as (args: Args, options: object) => Promise<Execution<Outs>>;
    const onEvent = (event: ExecutionEvent): void => {
      if (event.kind === "rebalanced") this.moves += event.moves.length;
    };
    const { session, signal } = this.#client;
    const options = { on: session, signal, limits, strict, verifyReplay, onEvent };
    const executions = await Promise.all(Array.from({ length: atOnce }, () => start(args, options)));
    this.#wanted = executions.map((execution) => ({ id: execution.id, execution, outputs: undefined }));
    this.#started = this.#client.started;
    started();
    for (;;) {
      const client = this.#client;
      const left = this.#unfinished;
      this.#running = left.map(({ id }) => id);
      const ending = Promise.all(left.map((wanted) => this.#end(wanted, client)));
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      const ended = await Promise.race([ending, client.killed]);
      if (this.#unfinished.length === 0) break;
      if (ended === undefined) this.doneAtKill ||= this.#unfinished.length < this.#wanted.length;
      // oxlint-disable-next-line no-await-in-loop -- see above
      else await this.#leave();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await this.#goOn();
    }
  }

  /** Nothing is to be killed or stopped any more. */
  async close(): Promise<void> {
    this.#running = [];
    await this.#client.session.close();
  }

  /** Everything dies at once. False where nothing runs that could be gone on with. */
  kill(downMs: number): boolean {
    if (this.#running.length === 0 || this.#parts.client.store === undefined) return false;
    this.#running = [];
    this.#downMs = downMs;
    this.#client.kill();
    return true;
  }

  /**
   * The user stops all executions, as Ctrl-C does, and goes on with them a little later: in another process once this one has
   * ended, which it does at once if the user is impatient; or in the same session.
   *
   * @param how - chooses among these
   * @param downMs - how long nobody goes on with them
   */
  stop(how: number, downMs: number): string | undefined {
    const client = this.#client;
    if (this.#running.length === 0 || client.stopped || this.#parts.client.store === undefined) return undefined;
    this.#downMs = downMs;
    const impatient = how < impatientShare;
    this.#stays = !impatient && how < staysShare;
    client.stop();
    if (this.#stays) return "to go on in the same session";
    const afterMs = impatient ? (how / impatientShare) * impatientMs : graceMs;
    this.#parts.clock.after(afterMs, () => {
      if (this.#client === client && this.kill(downMs)) this.#note("ends though not all has stopped");
    });
    return impatient ? `and again after ${afterMs.toFixed(1)} ms` : "";
  }

  /** Somebody asks for the load to be made even. Nothing else waits for the answer. */
  rebalance(which: number, grows: boolean): string | undefined {
    if (this.#running.length === 0 || this.#parts.client.store === undefined) return undefined;
    const asked = this.#client.rebalance(pick(this.#running, which), grows);
    asked.answer.then(
      (moves) => this.#note(`hears of ${describeMoves(moves)}`),
      (error: unknown) => {
        // By then it may be done, or its session closed.
        const isOver = error instanceof QStreamError && ["EXECUTION_UNKNOWN", "SESSION_CLOSED"].includes(error.code);
        if (!isOver) this.#parts.clock.fail(error);
      },
    );
    return asked.what;
  }

  get #unfinished(): readonly Wanted<Outs>[] {
    return this.#wanted.filter(({ outputs }) => outputs === undefined);
  }

  /** Waits for an execution, which may be stopped before it is done. */
  async #end(wanted: Wanted<Outs>, client: SimulatedClient): Promise<void> {
    try {
      wanted.outputs = await wanted.execution?.outputs;
      if (wanted.outputs !== undefined) this.#running = this.#running.filter((id) => id !== wanted.id);
    } catch (error) {
      if (!client.stopped || !hasCode(error, "ABORTED")) throw error;
    }
  }

  /** All has stopped: nothing is left but what the store and the files have. */
  async #leave(): Promise<void> {
    const client = this.#client;
    if (this.#stays) return;
    const closed = client.session.close().then(() => true);
    const ended = await Promise.race([closed, client.killed]);
    this.#running = [];
    if (ended !== true) return;
    this.leftAtStops.push(...client.leftBehind);
    client.kill();
  }

  /** Nobody runs what isn't done: somebody goes on with it, as `--resume` does. */
  async #goOn(): Promise<void> {
    const { clock, invariants, options, random } = this.#parts;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      await delay(clock, this.#downMs);
      const stays = this.#stays && !this.#client.dead;
      invariants?.restarted(stays);
      this.#stays = false;
      const slots = options.rescales === true ? 1 + Math.floor(random() * (this.#slotCount + 1)) : this.#slotCount;
      if (stays) this.#client.goOn();
      else this.#client = this.#open(slots);
      this.#note("goes on with the execution");
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (await this.#resume(this.#client)) return;
    }
  }

  /** False where somebody has to try again. */
  async #resume(client: SimulatedClient): Promise<boolean> {
    const { rescales = false } = this.#parts.options;
    const left = this.#unfinished;
    this.#running = left.map(({ id }) => id);
    const resuming = left.map(({ id }) => client.resume(id, this.#started, rescales));
    const settled = await Promise.race([Promise.allSettled(resuming), client.killed]);
    if (settled === undefined) return false;
    const failures = settled.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
    const passing = failures.find(isPassing);
    for (const error of failures) {
      if (!isPassing(error) && !(client.stopped && hasCode(error, "ABORTED"))) throw error;
    }
    if (passing !== undefined) {
      // Whoever wants the result tries again, in another process.
      if (this.kill(resumeAgainMs)) this.#note((passing as Error).message);
      return false;
    }
    settled.forEach((result, at) => {
      const wanted = left[at] as Wanted<Outs>;
      this.#follow(wanted, result.status === "fulfilled" ? (result.value as Execution<Outs>) : undefined);
    });
    return true;
  }

  /** An execution has another life, or was stopped before it had. */
  #follow(wanted: Wanted<Outs>, execution: Execution<Outs> | undefined): void {
    wanted.execution = execution;
    if (execution === undefined || execution.id === wanted.id) return;
    this.rescaled++;
    this.#parts.invariants?.left(wanted.id);
    wanted.id = execution.id;
  }

  #open(slotCount: number): SimulatedClient {
    const client = new SimulatedClient({ ...this.#parts.client, slotCount });
    client.slots.reachabilityChanged();
    return client;
  }

  #note(what: string): void {
    this.#parts.trace.add(this.#parts.clock.monotonic(), "client", what);
  }
}

/** True for what somebody meets who goes on too soon: the store is away, or lost slots of a session have yet to be replaced. */
function isPassing(error: unknown): boolean {
  return hasCode(error, "STORE_UNAVAILABLE") || hasCode(error, "SLOT_LOST");
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof QStreamError && error.code === code;
}
