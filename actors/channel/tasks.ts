import { loadBatches, loadedBatches, rowsOfBatch } from "../../lib/core/batch/index.ts";
import type { Consumed, Produced, TaskRecord } from "../../lib/core/contracts/lineage.ts";
import { feedbackName } from "../../lib/core/contracts/loop.ts";
import type { Outputs as OperatorOutputs } from "../../lib/core/contracts/operator.ts";
import { deepFreeze } from "../../lib/core/deep-freeze.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { countTaken, passedOver } from "./channel-metrics.ts";
import type { ChannelInput, TaskParts } from "./channel-parts.ts";
import { LoopWork } from "./loop-work.ts";
import type { Loop } from "./loop.ts";
import type { TakenParcels } from "./inputs.ts";
import { decodeChunk, encodeChunk, isKeptBatch } from "./kept-chunk.ts";
import { differs, takeLogged, takenOf } from "./logged-output.ts";
import { applyFunction, producedOf, type EdgeObjects, type Outgoing } from "./outputs.ts";
import { nobodyToTell } from "./refuse-timers.ts";
import { verifyProduced } from "./replay.ts";
import { isMark, markIn } from "./mark.ts";
import type { Parcel } from "./parcel.ts";
import { consumedOf, decodeParcels, holdsBatch, needsBatches, noParcels, objectsIn } from "./task-input.ts";
import type { RunningTask } from "./task-input.ts";
import { outputOf, type Chunk, type TaskOutput } from "./task-output.ts";
import type { TaskSource } from "./timed-taking.ts";
import type { ReaderWork } from "./reader-work.ts";
import { OperatorWork, SinkWork, type Work } from "./work.ts";

const continuing: RunningTask = { cause: { kind: "continue" }, input: undefined, parcels: noParcels };

/**
 * Runs the tasks of a channel: user code, functions on edges and partition functions; then logs the task, and sends what it
 * made once the log has it. A task that is run again from the log is cut as the log says, compared with it, and sent at once.
 */
export class Tasks {
  readonly #parts: TaskParts;
  readonly #settled: () => void;
  readonly #loop: Loop | undefined;
  /** Number of the last task that began, or -1. */
  seq = -1;
  /** Tasks whose records aren't durable yet. */
  uncommitted = 0;
  /** What an operator or a reader gave and isn't sent yet. */
  output: TaskOutput | undefined;
  /** Name of the input whose objects the task that runs now has taken. */
  input: string | undefined;
  /** Name of the timer that has gone off in it. */
  timer: string | undefined;
  /** What it consumed. */
  consumed: readonly Consumed[] = [];
  /** Objects of that: of columnar batches their rows. */
  objects = 0;
  /** Number of the task whose code runs or is waited for; -1 before the first, when the operator is opened. */
  running: number | undefined;
  #stopped = false;
  #startedAt = 0;
  /** The record of the task that is run again; undefined for one that runs for the first time. */
  #logged: TaskRecord | undefined;

  /** @param settled - called when a task's record became durable */
  constructor(parts: TaskParts, settled: () => void) {
    this.#parts = parts;
    this.#settled = settled;
    const { work, ctx, recovery } = parts;
    // A life that goes on is opened before its turns.
    this.running = recovery === undefined ? -1 : undefined;
    ctx.hasOnTimer = "onTimer" in work && work.onTimer !== undefined;
    this.#loop = work instanceof LoopWork ? work.loop : undefined;
    ctx.mayStop = this.#loop === undefined;
  }

  /** The next task is one that ran before, or the first of those that didn't. */
  follow(record: TaskRecord | undefined): void {
    this.#logged = record;
  }

  /** True once the life is over. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing is sent any more. */
  stop(): TaskOutput | undefined {
    this.#stopped = true;
    const { output } = this;
    this.output = undefined;
    return output;
  }

  /** Takes the next piece of a split, or of the next one. */
  read(work: ReaderWork): void | Promise<void> {
    const { ctx, metrics } = this.#parts;
    metrics.splits = work.splits;
    this.#begin();
    if (this.#logged?.content !== undefined) return this.#readKept(work, this.#logged, this.#logged.content);
    this.output ??= work.next(ctx);
    const { output } = this;
    invariant(output !== undefined, "a reader was to read, though nothing is left");
    return this.#drain(output, (chunk) => this.#readingTask(work, chunk, output.mark));
  }

  #readingTask(work: ReaderWork, chunk: Chunk, mark: TaskOutput["mark"]): RunningTask {
    const { metrics, lineage } = this.#parts;
    const { position } = work;
    const count = takenOf(chunk);
    work.taken(count, mark);
    metrics.objectsRead += chunk.columnar ? rowsOfBatch(chunk.objects[0]) : chunk.objects.length;
    if (chunk.last) metrics.splitsDone = work.splitsDone;
    const content = work.replayable || !lineage.keeps ? undefined : encodeChunk(chunk);
    const cause = { kind: "read", split: work.split, position, count } as const;
    return { cause, input: undefined, parcels: noParcels, content };
  }

  /** What a source gave that can't be asked again is in the log. */
  #readKept(work: ReaderWork, record: TaskRecord, content: Uint8Array): void | Promise<void> {
    if (isKeptBatch(content) && loadedBatches() === undefined) {
      return loadBatches().then(() => this.#readKept(work, record, content));
    }
    const { cause, more } = record;
    if (cause.kind !== "read") throw differs("reads", `was "${cause.kind}"`);
    work.follow(cause.split, cause.position, more);
    const chunk = decodeChunk(content, more);
    return this.#sendChunk(chunk, this.#readingTask(work, chunk, undefined));
  }

  /** Takes the next piece of what an operator gave in an earlier task. */
  continue(): void | Promise<void> {
    this.#begin();
    if (this.output === undefined) throw differs("had nothing left to give", "went on giving");
    return this.#drain(this.output, () => continuing);
  }

  execute(work: Work, taken: TaskSource): void | Promise<void> {
    this.#begin();
    if (taken.kind === "parcels" && needsBatches(taken.parcels)) {
      return loadBatches().then(() => this.#execute(work, taken));
    }
    return this.#execute(work, taken);
  }

  /** Passes over parcels whose task failed again and again: their objects go to a side output, with the error. */
  skip(taken: TakenParcels, error: string): void | Promise<void> {
    if (needsBatches(taken.parcels)) return loadBatches().then(() => this.skip(taken, error));
    this.#begin();
    const input = this.#parts.inputEdges[taken.input]?.name ?? "";
    const task = { cause: { kind: "skip", input, error }, input: taken.input, parcels: taken.parcels } as const;
    const failed = decodeParcels(taken.parcels).map((object) => ({ input, object, error }));
    countTaken(this.#parts.metrics, taken.parcels);
    this.#parts.ctx.count(passedOver, failed.length);
    const chunk = { objects: [], columnar: false, sides: new Map([["failed", failed]]), last: true };
    return this.#sendChunk(chunk, task);
  }

  /** Logs that the channel ends early. */
  logStop(committed: () => void): void {
    this.#begin();
    this.running = undefined;
    this.#append({ cause: { kind: "stop" }, input: undefined, parcels: noParcels }, [], 0, false, committed);
  }

  /** A task has made this, and nobody has it yet: for who wants to see it. */
  protected routed(_outgoing: readonly Outgoing[]): void {}

  #execute(work: Work, taken: TaskSource): void | Promise<void> {
    const { ctx, inputEdges, metrics } = this.#parts;
    if (taken.kind === "timer") ctx.goOff(taken.name);
    ctx.enter([ctx.seq]);
    switch (taken.kind) {
      case "timer": {
        this.timer = taken.name;
        if (work.onTimer === undefined) throw nobodyToTell(taken.name);
        const task = { cause: taken, input: undefined, parcels: noParcels } as const;
        return this.#run(task, work.onTimer(taken.name, ctx));
      }
      case "round": {
        const loop = this.#loop as Loop;
        loop.roundBegan();
        const task = { cause: taken, input: undefined, parcels: noParcels } as const;
        return this.#run(task, (work as LoopWork).round(loop.round, ctx));
      }
      case "mark":
        return this.#mark(this.#loop as Loop, taken);
      case "done":
        this.#loop?.ended();
        ctx.pendingTimers?.stop();
        return this.#run({ cause: { kind: "done" }, input: undefined, parcels: noParcels }, work.done(ctx));
      case "input-end": {
        const input = inputEdges[taken.input]?.name ?? "";
        this.input = input;
        const task = { cause: { kind: "input-end", input }, input: taken.input, parcels: noParcels } as const;
        return this.#run(task, work.inputDone(input, ctx));
      }
      case "parcels": {
        const edge = inputEdges[taken.input] as ChannelInput;
        const { parcels } = taken;
        const task = { cause: { kind: "parcels", input: edge.name }, input: taken.input, parcels } as const;
        this.input = edge.name;
        this.consumed = consumedOf(edge.edge, parcels);
        this.objects = objectsIn(parcels);
        this.#parts.notes?.took(this.consumed);
        let objects = this.#decode(taken.input, parcels);
        countTaken(metrics, parcels);
        if (this.#parts.strict) deepFreeze(objects);
        for (const step of edge.after) objects = applyFunction(step, objects, ctx.edge, this.#parts.strict);
        if (objects.length === 0) return this.#run(task, undefined);
        if (edge.after.length > 0 && holdsBatch(objects) && loadedBatches() === undefined) {
          return loadBatches().then(() => this.#run(task, work.execute(edge.name, objects, ctx)));
        }
        return this.#run(task, work.execute(edge.name, objects, ctx));
      }
    }
  }

  /** The objects of parcels; marks of a loop among them go to the loop. */
  #decode(input: number, parcels: readonly Parcel[]): readonly unknown[] {
    const loop = this.#loop;
    if (loop === undefined || this.#parts.inputEdges[input]?.edge !== loop.edge) return decodeParcels(parcels);
    const withObjects: Parcel[] = [];
    for (const parcel of parcels) {
      if (isMark(parcel)) loop.took(parcel.from, markIn(parcel), this.#parts.inputs);
      else withObjects.push(parcel);
    }
    if (loop.isUnwanted) this.#parts.ctx.stopped = true;
    return withObjects.length === 0 ? [] : decodeParcels(withObjects);
  }

  /** Tells all channels of the loop that nothing more of this round comes. */
  #mark(loop: Loop, taken: Extract<TaskSource, { kind: "mark" }>): void {
    const mark = loop.mark(taken.flags, this.#parts.inputs);
    this.#parts.metrics.round = loop.roundShown;
    const outgoing = this.#parts.outputs.mark(loop.edge, mark, this.seq);
    this.#finish({ cause: taken, input: undefined, parcels: noParcels }, outgoing, 0, false);
  }

  #run(task: RunningTask, result: OperatorOutputs<unknown>): void | Promise<void> {
    if (result instanceof Promise) return result.then((settled) => this.#takeOutput(task, settled));
    return this.#takeOutput(task, result);
  }

  #takeOutput(task: RunningTask, result: Exclude<OperatorOutputs<unknown>, Promise<unknown>>): void | Promise<void> {
    if (result === undefined || result === null) return this.#complete(task, [], 0, false);
    this.output = outputOf(result, this.#loop !== undefined);
    return this.#drain(this.output, () => task);
  }

  #drain(output: TaskOutput, taskOf: (chunk: Chunk) => RunningTask): void | Promise<void> {
    const { limits, clock, outputs } = this.#parts;
    const chunk =
      this.#logged === undefined
        ? output.next({
            objects: outputs.taskObjects(limits.parcelObjects),
            bytes: limits.parcelBytes,
            lingerMs: limits.lingerMs,
            clock,
          })
        : takeLogged(output, this.#logged);
    if (chunk instanceof Promise) return chunk.then((settled) => this.#takeChunk(output, taskOf, settled));
    return this.#takeChunk(output, taskOf, chunk);
  }

  #takeChunk(output: TaskOutput, taskOf: (chunk: Chunk) => RunningTask, chunk: Chunk): void | Promise<void> {
    if (this.#stopped) return undefined;
    this.output = chunk.last ? undefined : output;
    return this.#sendChunk(chunk, taskOf(chunk));
  }

  #sendChunk(chunk: Chunk, task: RunningTask): void | Promise<void> {
    const { outputs, ctx } = this.#parts;
    if (chunk.sides?.has(feedbackName) === true) this.#checkFeedsBack();
    const made = outputs.applyFunctions("out", chunk.objects, ctx.edge);
    for (const [port, objects] of chunk.sides ?? []) made.push(...outputs.applyFunctions(port, objects, ctx.edge));
    const taken = takenOf(chunk);
    // Functions on edges may make batches of plain objects.
    if (loadedBatches() === undefined && made.some(({ objects }) => holdsBatch(objects))) {
      return loadBatches().then(() => this.#complete(task, made, taken, !chunk.last));
    }
    return this.#complete(task, made, taken, !chunk.last);
  }

  #checkFeedsBack(): void {
    if (this.#loop !== undefined) return this.#loop.checkFeedsBack();
    // A reader may have a side of that name.
    if (this.#parts.work instanceof OperatorWork) throw fedBackInNoLoop();
  }

  #complete(task: RunningTask, made: readonly EdgeObjects[], taken: number, more: boolean): void {
    if (this.#stopped) return;
    const { outputs, ctx } = this.#parts;
    const outgoing = outputs.route(made, { seq: this.seq, random: () => ctx.edgeRandom() });
    const loop = this.#loop;
    if (loop !== undefined) for (const { link, parcel } of outgoing) if (link.edge === loop.edge) loop.fed(parcel.rows);
    this.#finish(task, outgoing, taken, more);
  }

  #finish(task: RunningTask, outgoing: readonly Outgoing[], taken: number, more: boolean): void {
    const { ctx, lineage, metrics, clock, inputs } = this.#parts;
    this.routed(outgoing);
    if (!more) ctx.leave();
    this.running = undefined;
    metrics.tasks++;
    metrics.busyMs += clock.monotonic() - this.#startedAt;
    if (this.#logged === undefined) {
      const produced = lineage.keeps ? producedOf(outgoing) : [];
      this.#append(task, produced, taken, more, () => this.#send(outgoing));
    } else {
      this.#repeated(this.#logged, task, outgoing, taken, more);
    }
    if (task.input !== undefined) inputs.release(task.input, task.parcels);
  }

  #append(task: RunningTask, produced: Produced[], taken: number, more: boolean, committed: () => void): void {
    const { lineage, log, inputEdges, ctx } = this.#parts;
    this.uncommitted++;
    const { seq } = this;
    const userSeq = ctx.seq;
    const { cause } = task;
    const edge = task.input === undefined || !lineage.keeps ? undefined : inputEdges[task.input]?.edge;
    const consumed = edge === undefined ? [] : consumedOf(edge, task.parcels);
    const now = lineage.keeps ? ctx.taskNow : undefined;
    const { content } = task;
    lineage.append(log, { seq, cause, consumed, produced, taken, more, now, content }, () => {
      this.uncommitted--;
      if (this.#stopped) return;
      committed();
      this.#committed(seq, userSeq);
      this.#settled();
    });
  }

  /** A task that ran before: it must have done the same, and is committed. */
  #repeated(record: TaskRecord, task: RunningTask, outgoing: readonly Outgoing[], taken: number, more: boolean): void {
    if (task.cause.kind !== record.cause.kind) throw differs(`was "${task.cause.kind}"`, `was "${record.cause.kind}"`);
    if (task.cause.kind === "read" && record.cause.kind === "read" && task.cause.split !== record.cause.split) {
      throw differs(`read split ${task.cause.split}`, `read split ${record.cause.split}`);
    }
    if (taken !== record.taken || more !== record.more) {
      throw differs(
        `gave ${taken} objects${more ? " and more" : ""}`,
        `gave ${record.taken}${record.more ? " and more" : ""}`,
      );
    }
    verifyProduced(producedOf(outgoing), record.produced);
    this.#parts.metrics.tasksReplayed++;
    this.#send(outgoing);
    this.#committed(this.seq, this.#parts.ctx.seq);
  }

  #send(outgoing: readonly Outgoing[]): void {
    for (const { link, parcel } of outgoing) link.send(parcel);
  }

  #committed(seq: number, userSeq: number): void {
    const { work } = this.#parts;
    if (work instanceof SinkWork) work.committed(seq, userSeq);
  }

  #begin(): void {
    this.running = ++this.seq;
    if (this.output === undefined) {
      this.input = undefined;
      this.timer = undefined;
      this.consumed = [];
    }
    this.#startedAt = this.#parts.clock.monotonic();
    this.#parts.notes?.task(this.seq);
    this.#parts.ctx.begin(this.seq, this.#logged?.now);
  }
}

function fedBackInNoLoop(): QStreamError {
  return new QStreamError("UNSUPPORTED", "an operator fed back an object that is in no loop", {
    advice: "Make its step by iterate, not by apply; or give the object without feedback()",
  });
}
