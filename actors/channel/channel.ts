import { CarefulTaking } from "./careful-taking.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";
import { waitsForOthers, type ChannelParts, type ChannelState, type ChannelWait } from "./channel-parts.ts";
import { Checkpoints } from "./checkpoints.ts";
import { CreditWait } from "./credit-wait.ts";
import { Draining } from "./draining.ts";
import { closeWork, endWork, interruptReader, reportFailure } from "./end-channel.ts";
import type { Opening } from "./inputs.ts";
import { takeNext } from "./loop-taking.ts";
import type { OutgoingLink } from "./outgoing-link.ts";
import type { Parcel } from "./parcel.ts";
import { repeatTask } from "./repeat-task.ts";
import { Replay } from "./replay.ts";
import { restoreState, saveState } from "./saved-state.ts";
import { objectsOfTask } from "./take-parcels.ts";
import { Tasks } from "./tasks.ts";
import { TimedTaking } from "./timed-taking.ts";
import { ReaderWork } from "./reader-work.ts";
import { SinkWork, type Work } from "./work.ts";
const tasksPerTurn = 8;

/**
 * One parallel instance of a step. It takes turns from its actor, and in each runs a few tasks: some parcels of one
 * input (or a piece of a split), executed, routed, logged, and sent once the log has it. A life that follows one that was
 * lost starts from a checkpoint, runs the logged tasks behind it again, and goes on where they end.
 */
export class Channel {
  readonly #parts: ChannelParts;
  readonly #tasks: Tasks;
  readonly #checkpoints: Checkpoints;
  readonly #credit: CreditWait;
  readonly #careful: CarefulTaking;
  readonly #timed: TimedTaking;
  readonly #draining: Draining | undefined;
  #replay: Replay | undefined;
  /** How the channel had ended by itself before its step got another number of channels. */
  #ended: "done" | "stopped" | undefined;
  #state: ChannelState = "starting";
  #busy = false;
  #finishing = false;
  /** The log has to have it that the channel ends early, before anything follows from that. */
  #stopping = false;
  /** A task threw: what it left of the state isn't to be trusted, so that no other task runs. */
  #broken = false;
  /** Its inputs were cancelled: it ended early, and the log has that. */
  #enough = false;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.#tasks = parts.tasks?.(parts, parts.events.wake) ?? new Tasks(parts, parts.events.wake);
    const { recovery, log, lineage, clock, work } = parts;
    this.#credit = new CreditWait(parts);
    this.#careful = new CarefulTaking(recovery?.failed);
    this.#timed = new TimedTaking(parts.ctx, parts.inputs, parts.events.wake);
    if (recovery !== undefined) this.#replay = new Replay(recovery, log, lineage);
    const failed = (error: unknown, behind?: number): void => this.failFrom(error, behind);
    if (work instanceof SinkWork) work.failed = failed;
    this.#checkpoints = new Checkpoints({ policy: parts.checkpoints, clock, lineage, log, failed });
    if (parts.drains === true) this.#draining = new Draining(parts, this.#tasks, this.#checkpoints);
  }

  get state(): ChannelState {
    if (this.#state === "stopped" || this.#state === "done") return this.#state;
    if (this.#busy) return "running";
    if (this.#replay !== undefined && this.#state === "running") return "recovering";
    return waitsForOthers(this.#state) && this.#tasks.uncommitted > 0 ? "waiting-store" : this.#state;
  }

  get metrics(): ChannelMetrics {
    return this.#credit.counted();
  }

  /** The task whose code is waited for, -1 for `open`; undefined where none is, or the store is. */
  get task(): number | undefined {
    return this.#busy ? this.#tasks.running : undefined;
  }

  get generation(): number {
    return this.#parts.log.generation;
  }

  /** The part of a sink's channel that is done. */
  get part(): unknown {
    const { work } = this.#parts;
    return work instanceof SinkWork ? work.part : undefined;
  }

  /** Names of the inputs and edges that the channel waits for. */
  describeWait(): ChannelWait {
    const { forInputs, blocked } = this.#parts.inputs.waiting();
    return { inputs: forInputs, blocked, edges: this.#parts.outputs.waiting() };
  }

  /** Opens user code and takes over the checkpoint of an earlier life: afterwards, links can be opened. */
  async recover(): Promise<void> {
    try {
      await this.#open();
      const saved = (await this.#replay?.checkpoints()) ?? [];
      if (saved.length > 0) this.#ended = await restoreState(this.#parts, this.#tasks, saved);
    } catch (error) {
      this.failFrom(error);
    }
  }

  /** One turn: some tasks. Returns a promise only where user code is asynchronous. */
  turn(): void | Promise<void> {
    if (this.#busy || this.#broken || this.#state === "done" || this.#state === "stopped") return undefined;
    try {
      const before = this.#tasks.seq;
      const pending = this.#takeTasks();
      if (pending === undefined) {
        // The next task needn't wait until the log has this one.
        if (this.#tasks.seq !== before && !this.#finishing) this.#parts.events.wake();
        return undefined;
      }
      this.#busy = true;
      return pending.then(
        () => {
          this.#busy = false;
          this.#parts.events.wake();
        },
        (error: unknown) => {
          this.#busy = false;
          this.failFrom(error);
        },
      );
    } catch (error) {
      this.failFrom(error);
      return undefined;
    }
  }

  /** False for a parcel that had come before. */
  receive(input: number, parcel: Parcel): boolean {
    if (this.#deaf) {
      // Who goes on with the link may ask how far it came before the log has it that the channel wants no more.
      this.#parts.inputs.pass(input, parcel);
      return true;
    }
    const fresh = this.#parts.inputs.enqueue(input, parcel);
    this.#parts.events.wake();
    return fresh;
  }

  inputEnded(input: number, from: number, lastSeq: number): void {
    if (this.#deaf) return;
    this.#parts.inputs.end(input, from, lastSeq);
    this.#parts.events.wake();
  }

  opened(link: OutgoingLink, after: number, objects: number, bytes: number): void {
    link.open(after, objects, bytes);
    this.#pump(link);
  }

  granted(link: OutgoingLink, objects: number, bytes: number): void {
    link.grant(objects, bytes);
    this.#pump(link);
  }

  /** The consumer of a link wants no more. */
  linkCancelled(link: OutgoingLink): void {
    const { outputs, events } = this.#parts;
    outputs.linkClosed(link);
    if (outputs.unwanted && this.#busy) interruptReader(this.#parts, this.#tasks);
    events.wake();
  }

  /** A spool wrote something: what waited for it may go on. */
  spoolSettled(): void {
    for (const link of this.#parts.outputs.links) this.#pump(link);
  }

  /** What to tell another life of a producer: from where to go on, or, once the channel has all it wants, to stop. */
  opening(input: number, from: number): Opening | undefined {
    return this.#enough || this.#ended === "stopped" ? undefined : this.#parts.inputs.opening(input, from);
  }

  /** Seq of the last parcel that came on a link. */
  received(input: number, from: number): number {
    return this.#parts.inputs.received(input, from);
  }

  /** Makes a sink's output visible. */
  async commitSink(): Promise<void> {
    if (this.#parts.work instanceof SinkWork) await this.#parts.work.commit();
  }

  /** Ends the channel where it is: nothing is sent any more, what a sink prepared is removed. */
  stop(reason: Error): Promise<void> {
    const { work } = this.#parts;
    return this.#end(reason, () => (work instanceof SinkWork ? work.abort() : undefined));
  }

  /** Ends this life, for another to go on: what a sink prepared stays. */
  giveUp(reason: Error): Promise<void> {
    return this.#end(reason, () => (this.#parts.work instanceof SinkWork ? this.#parts.work.leave() : undefined));
  }

  failFrom(error: unknown, behind?: number): void {
    if (this.#state === "stopped" || this.#broken) return;
    this.#broken = true;
    reportFailure(this.#parts, this.#tasks, error, behind);
  }

  /** Nothing that comes is of use any more. */
  get #deaf(): boolean {
    return this.#state === "done" || this.#state === "stopped" || this.#finishing;
  }

  async #end(reason: Error, sink: () => void | Promise<void>): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#checkpoints.stop();
    await endWork(this.#parts, reason, this.#tasks, sink);
  }

  #open(): void | Promise<void> {
    const { work, ctx } = this.#parts;
    this.#state = "running";
    return work instanceof ReaderWork ? undefined : work.open(ctx);
  }

  /** A reader takes one task a turn, consumers a few: else what several producers send in a turn of theirs would pile up. */
  #takeTasks(): void | Promise<void> {
    for (let left = this.#parts.work instanceof ReaderWork ? 1 : tasksPerTurn; left > 0; left--) {
      const before = this.#tasks.seq;
      const pending = this.#takeTask();
      if (pending !== undefined || this.#tasks.seq === before || this.#broken || this.#state !== "running") {
        return pending;
      }
    }
    return undefined;
  }

  #takeTask(): void | Promise<void> {
    const { outputs, limits, work } = this.#parts;
    if (this.#state === "starting") {
      const opening = this.#open();
      if (opening !== undefined) return opening;
    }
    if (this.#replay !== undefined) return this.#takeLoggedTask(this.#replay);
    if (!this.#finishing && this.#draining?.pauses() === true) this.#finishing = true;
    if (this.#finishing) return this.#tryFinish();
    if (outputs.unwanted) return this.#endEarly();
    if (!this.#hasCredit()) return undefined;
    const saving = saveState(this.#parts, this.#tasks, this.#checkpoints);
    if (saving !== undefined) return saving;
    if (this.#tasks.uncommitted >= limits.uncommittedTasks) return undefined;
    this.#state = "running";
    const pending = work instanceof ReaderWork ? this.#readerTask(work) : this.#operatorTask(work);
    return pending === undefined ? this.#endIfStopped() : pending.then(() => this.#endIfStopped());
  }

  #hasCredit(): boolean {
    const ready = this.#credit.check(this.#parts.outputs.ready);
    if (!ready) this.#state = "waiting-credit";
    return ready;
  }

  #readerTask(work: ReaderWork): void | Promise<void> {
    if (this.#tasks.output !== undefined || !work.exhausted) return this.#tasks.read(work);
    this.#parts.metrics.splitsDone = work.splitsDone;
    this.#finishing = true;
    return this.#tryFinish();
  }

  #operatorTask(work: Work): void | Promise<void> {
    if (this.#tasks.output !== undefined) return this.#tasks.continue();
    const most = this.#careful.active ? 1 : objectsOfTask(this.#parts);
    const saving = { tasks: this.#tasks, checkpoints: this.#checkpoints };
    const taken = takeNext(this.#parts, work, this.#timed, most, saving);
    if (taken === undefined) {
      this.#state = this.#timed.waits ? "waiting-timer" : "waiting-input";
      return undefined;
    }
    if (taken.kind === "timer") return this.#tasks.execute(work, taken);
    if (taken.kind === "done") this.#finishing = true;
    const error = this.#careful.passesOver(taken, this.#parts.inputEdges);
    return taken.kind === "parcels" && error !== undefined
      ? this.#tasks.skip(taken, error)
      : this.#tasks.execute(work, taken);
  }

  /** Runs the next logged task again. Parcels that consumers have already aren't sent. */
  #takeLoggedTask(replay: Replay): void | Promise<void> {
    // Consumers cancel once they have all that was to be made again; until then it may wait in a spool.
    if (replay.outputsOnly ? this.#parts.outputs.unwanted : replay.finished) return this.#endReplay(replay);
    if (replay.finished) {
      this.#state = "waiting-credit";
      return undefined;
    }
    if (!this.#hasCredit()) return undefined;
    const { record } = replay;
    if (record === undefined) return replay.fetch();
    this.#state = "running";
    const advance = (): void => {
      replay.advance();
      // No commit is going to wake it.
      this.#parts.events.wake();
    };
    if (record.cause.kind === "stop") {
      advance();
      this.#tasks.seq = record.seq;
      return this.#stopInputs();
    }
    if (record.cause.kind === "done") {
      // Only a sink can have been done with all it has while its step is to have other producers: it is done again later.
      if (this.#draining !== undefined) return this.#endReplay(replay);
      this.#finishing = true;
    }
    const repeating = repeatTask(record, this.#parts, this.#tasks);
    if (repeating === "waits") {
      this.#state = "waiting-input";
      return undefined;
    }
    return repeating === undefined ? advance() : repeating.then(advance);
  }

  #endReplay(replay: Replay): void | Promise<void> {
    this.#replay = undefined;
    this.#tasks.follow(undefined);
    if (replay.outputsOnly) {
      this.#state = "done";
      return this.#parts.events.replayed();
    }
    this.#parts.events.wake();
    if (this.#ended === "stopped") return this.#stopInputs();
    if (this.#ended === "done") this.#finishing = true;
    return this.#endIfStopped();
  }

  /** Ends the channel once user code called `ctx.stop()` and what it had returned by then is sent. */
  #endIfStopped(): void | Promise<void> {
    const { ctx, work } = this.#parts;
    if (!ctx.stopped || this.#finishing || this.#state === "stopped") return undefined;
    return work instanceof ReaderWork || this.#tasks.output === undefined ? this.#endEarly() : undefined;
  }

  /**
   * Nobody wants more, or the operator has all it needs. Producers are told once the log has it: until then another life
   * could need what they send.
   */
  #endEarly(): void | Promise<void> {
    this.#finishing = true;
    const output = this.#tasks.output;
    this.#tasks.output = undefined;
    this.#stopping = true;
    const stopped = new Promise<void>((resolve) => this.#tasks.logStop(() => resolve(this.#stopInputs())));
    stopped.then(
      () => {
        this.#stopping = false;
        this.#parts.events.wake();
      },
      (error: unknown) => this.failFrom(error),
    );
    return output?.close();
  }

  /** A sink that stops early has taken all that it wants, and still has to hand over its part. */
  #stopInputs(): void | Promise<void> {
    this.#finishing = true;
    this.#enough = true;
    const { work, ctx, inputs, events } = this.#parts;
    for (const input of inputs.open()) events.cancelInput(input);
    inputs.clear();
    ctx.pendingTimers?.stop();
    if (!(work instanceof SinkWork)) return undefined;
    return this.#draining === undefined ? work.done(ctx) : this.#draining.pause();
  }

  /** Ends the channel's links once everything is committed and the spools are empty. */
  #tryFinish(): void | Promise<void> {
    const { outputs, events, limits } = this.#parts;
    if (this.#tasks.output !== undefined && this.#draining?.leaves !== true) {
      if (outputs.unwanted) return this.#endEarly();
      if (!this.#hasCredit()) return undefined;
      if (this.#tasks.uncommitted < limits.uncommittedTasks) return this.#tasks.continue();
    }
    if (this.#tasks.uncommitted > 0 || this.#stopping) return undefined;
    if (this.#draining?.saves === true) return this.#draining.save();
    // Each link ends as soon as it can: a consumer may have to see the end of one before it reads what another holds.
    for (const link of outputs.links) if (link.drained) link.end();
    if (outputs.links.some((link) => !link.closed)) {
      this.#state = "waiting-credit";
      return undefined;
    }
    this.#state = "done";
    return closeWork(this.#parts).then(() => events.done(this.part));
  }

  #pump(link: OutgoingLink): void {
    this.#parts.events.wake();
    if (link.spool === undefined) return;
    link.pump().then(
      () => this.#parts.events.wake(),
      (error: unknown) => this.failFrom(error),
    );
  }
}
