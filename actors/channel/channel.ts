import { loadBatches, loadedBatches, rowsOfBatch } from "../../lib/core/batch/index.ts";
import type { Outputs as OperatorOutputs } from "../../lib/core/contracts/operator.ts";
import { deepFreeze } from "../../lib/core/deep-freeze.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { countTaken, type ChannelMetrics } from "./channel-metrics.ts";
import type { ChannelInput, ChannelParts, ChannelState, ChannelWait } from "./channel-parts.ts";
import { locate } from "./failure.ts";
import type { Taken } from "./inputs.ts";
import type { OutgoingLink } from "./outgoing-link.ts";
import { applyFunction, producedOf, type EdgeObjects } from "./outputs.ts";
import type { Parcel } from "./parcel.ts";
import { type RunningTask, consumedOf, decodeParcels, holdsBatch, needsBatches, noParcels } from "./task-input.ts";
import { outputOf, type Chunk, type TaskOutput } from "./task-output.ts";
import { ReaderWork, SinkWork, type Work } from "./work.ts";

const tasksPerTurn = 8;

/**
 * One parallel instance of a step. It takes turns from its actor, and in each runs a few tasks: some parcels of one
 * input (or a piece of a split), executed, routed, logged, and sent once the log has it.
 */
export class Channel {
  readonly #parts: ChannelParts;
  #state: ChannelState = "starting";
  #busy = false;
  #seq = -1;
  #uncommitted = 0;
  #output: TaskOutput | undefined;
  #finishing = false;
  /** A task threw: what it left of the state isn't to be trusted, so that no other task runs. */
  #broken = false;
  /** Name of the input whose objects the task that runs now has taken. */
  #input: string | undefined;
  #creditWaitFrom: number | undefined;
  #startedAt = 0;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  get state(): ChannelState {
    return this.#busy && this.#state !== "stopped" ? "running" : this.#state;
  }

  get metrics(): ChannelMetrics {
    return this.#parts.metrics;
  }

  get step(): number {
    return this.#parts.step;
  }

  get index(): number {
    return this.#parts.ctx.channel;
  }

  /** Names of the inputs and edges that the channel waits for. */
  describeWait(): ChannelWait {
    const waiting = this.#parts.inputs.waiting();
    const edges = this.#parts.outputs.links
      .filter((link) => link.blocks || (!link.closed && !link.drained))
      .map((link) => link.edge);
    return { inputs: waiting.forInputs, blocked: waiting.blocked, edges: [...new Set(edges)] };
  }

  /** One turn: some tasks. Returns a promise only where user code is asynchronous. */
  turn(): void | Promise<void> {
    if (this.#busy || this.#broken || this.#state === "done" || this.#state === "stopped") return undefined;
    try {
      const pending = this.#takeTasks();
      if (pending === undefined) return undefined;
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

  receive(input: number, parcel: Parcel): void {
    if (this.#state === "done" || this.#state === "stopped" || this.#finishing) return;
    this.#parts.inputs.enqueue(input, parcel);
    this.#parts.events.wake();
  }

  inputEnded(input: number, from: number, lastSeq: number): void {
    if (this.#state === "done" || this.#state === "stopped" || this.#finishing) return;
    this.#parts.inputs.end(input, from, lastSeq);
    this.#parts.events.wake();
  }

  granted(link: OutgoingLink, objects: number, bytes: number): void {
    link.grant(objects, bytes);
    this.#pump(link);
    this.#parts.events.wake();
  }

  /** The consumer of a link wants no more. */
  linkCancelled(link: OutgoingLink): void {
    const { outputs, work, ctx, events } = this.#parts;
    outputs.linkClosed(link);
    if (outputs.unwanted && work instanceof ReaderWork && this.#busy) {
      // The reader may wait for a source that never answers: the task ends with what came before.
      this.#output?.interrupt();
      ctx.abort(new QStreamError("ABORTED", "nobody wants more objects of this reader"));
    }
    events.wake();
  }

  /** A spool wrote something: what waited for it may go on. */
  spoolSettled(): void {
    for (const link of this.#parts.outputs.links) this.#pump(link);
    this.#parts.events.wake();
  }

  /** Makes a sink's output visible. */
  async commitSink(): Promise<void> {
    if (this.#parts.work instanceof SinkWork) await this.#parts.work.commit();
  }

  /** Ends the channel where it is: nothing is sent any more, what a sink prepared is removed. */
  async stop(reason: Error): Promise<void> {
    const { work, ctx, inputs, outputs } = this.#parts;
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    ctx.abort(reason);
    inputs.clear();
    for (const link of outputs.links) link.close();
    const output = this.#output;
    this.#output = undefined;
    await Promise.allSettled([
      output?.close(),
      work instanceof SinkWork ? work.abort() : undefined,
      work instanceof ReaderWork ? undefined : work.close(),
    ]);
    await ctx.spill.clear();
  }

  /** A reader takes one task a turn, consumers a few: else what several producers send in a turn of theirs would pile up. */
  #takeTasks(): void | Promise<void> {
    for (let left = this.#parts.work instanceof ReaderWork ? 1 : tasksPerTurn; left > 0; left--) {
      const before = this.#seq;
      const pending = this.#takeTask();
      if (pending !== undefined || this.#seq === before || this.#broken || this.#state !== "running") return pending;
    }
    return undefined;
  }

  #takeTask(): void | Promise<void> {
    const { outputs, limits, work, ctx, clock } = this.#parts;
    if (this.#state === "starting") {
      this.#state = "running";
      if (!(work instanceof ReaderWork)) {
        const opening = work.open(ctx);
        if (opening !== undefined) return opening;
      }
    }
    if (this.#finishing) return this.#tryFinish();
    if (outputs.unwanted) return this.#endEarly();
    if (!outputs.ready) {
      this.#creditWaitFrom ??= clock.monotonic();
      this.#state = "waiting-credit";
      return undefined;
    }
    if (this.#creditWaitFrom !== undefined) {
      this.#parts.metrics.creditWaitMs += clock.monotonic() - this.#creditWaitFrom;
      this.#creditWaitFrom = undefined;
    }
    if (this.#uncommitted >= limits.uncommittedTasks) return undefined;
    this.#state = "running";
    return work instanceof ReaderWork ? this.#readTask(work) : this.#operatorTask(work);
  }

  #readTask(work: ReaderWork): void | Promise<void> {
    const { ctx, metrics } = this.#parts;
    metrics.splits = work.splits;
    this.#begin();
    this.#output ??= work.nextSplit(ctx);
    if (this.#output === undefined) {
      metrics.splitsDone = work.splitsDone;
      return this.#finish();
    }
    return this.#drain(this.#output, (chunk) => {
      const { position } = work;
      const count = chunk.objects.length;
      work.position += count;
      metrics.objectsRead += chunk.columnar ? rowsOfBatch(chunk.objects[0]) : count;
      if (chunk.last) metrics.splitsDone = work.splitsDone;
      return { cause: { kind: "read", split: work.split, position, count }, input: undefined, parcels: noParcels };
    });
  }

  #operatorTask(work: Work): void | Promise<void> {
    if (this.#output !== undefined) {
      this.#begin();
      return this.#drain(this.#output, () => ({ cause: { kind: "continue" }, input: undefined, parcels: noParcels }));
    }
    const taken = this.#parts.inputs.take(this.#parts.limits.parcelObjects, work.accepts);
    if (taken === undefined) {
      this.#state = "waiting-input";
      return undefined;
    }
    this.#begin();
    if (taken.kind === "parcels" && needsBatches(taken.parcels)) {
      return loadBatches().then(() => this.#execute(work, taken));
    }
    return this.#execute(work, taken);
  }

  #execute(work: Work, taken: Taken): void | Promise<void> {
    const { ctx, inputEdges, metrics } = this.#parts;
    switch (taken.kind) {
      case "done": {
        this.#finishing = true;
        return this.#run({ cause: { kind: "done" }, input: undefined, parcels: noParcels }, work.done(ctx));
      }
      case "input-end": {
        const input = inputEdges[taken.input]?.name ?? "";
        this.#input = input;
        const task = { cause: { kind: "input-end", input }, input: taken.input, parcels: noParcels } as const;
        return this.#run(task, work.inputDone(input, ctx));
      }
      case "parcels": {
        const edge = inputEdges[taken.input] as ChannelInput;
        const { parcels } = taken;
        const task = { cause: { kind: "parcels", input: edge.name }, input: taken.input, parcels } as const;
        this.#input = edge.name;
        let objects = decodeParcels(parcels);
        countTaken(metrics, parcels);
        if (this.#parts.strict) deepFreeze(objects);
        for (const step of edge.after) objects = applyFunction(step, objects, ctx);
        if (objects.length === 0) return this.#run(task, undefined);
        if (edge.after.length > 0 && holdsBatch(objects) && loadedBatches() === undefined) {
          return loadBatches().then(() => this.#run(task, work.execute(edge.name, objects, ctx)));
        }
        return this.#run(task, work.execute(edge.name, objects, ctx));
      }
    }
  }

  #run(task: RunningTask, result: OperatorOutputs<unknown>): void | Promise<void> {
    if (result instanceof Promise) return result.then((settled) => this.#takeOutput(task, settled));
    return this.#takeOutput(task, result);
  }

  #takeOutput(task: RunningTask, result: Exclude<OperatorOutputs<unknown>, Promise<unknown>>): void | Promise<void> {
    if (result === undefined || result === null) return this.#complete(task, []);
    this.#output = outputOf(result);
    return this.#drain(this.#output, () => task);
  }

  #drain(output: TaskOutput, taskOf: (chunk: Chunk) => RunningTask): void | Promise<void> {
    const { limits, clock, outputs } = this.#parts;
    const chunk = output.next({
      objects: outputs.taskObjects(limits.parcelObjects),
      bytes: limits.parcelBytes,
      lingerMs: limits.lingerMs,
      clock,
    });
    if (chunk instanceof Promise) return chunk.then((settled) => this.#takeChunk(output, taskOf, settled));
    return this.#takeChunk(output, taskOf, chunk);
  }

  #takeChunk(output: TaskOutput, taskOf: (chunk: Chunk) => RunningTask, chunk: Chunk): void | Promise<void> {
    this.#output = chunk.last ? undefined : output;
    const task = taskOf(chunk);
    if (this.#state === "stopped") return undefined;
    const { outputs, ctx } = this.#parts;
    const made = outputs.applyFunctions("out", chunk.objects, ctx);
    for (const [port, objects] of chunk.sides ?? []) made.push(...outputs.applyFunctions(port, objects, ctx));
    // Functions on edges may make batches of plain objects.
    if (loadedBatches() === undefined && made.some(({ objects }) => holdsBatch(objects))) {
      return loadBatches().then(() => this.#complete(task, made));
    }
    return this.#complete(task, made);
  }

  #complete(task: RunningTask, made: readonly EdgeObjects[]): void | Promise<void> {
    if (this.#state === "stopped") return undefined;
    const { outputs, ctx, lineage, step, metrics, clock, inputs } = this.#parts;
    const outgoing = outputs.route(made, { seq: this.#seq, random: () => ctx.random() });
    metrics.tasks++;
    metrics.busyMs += clock.monotonic() - this.#startedAt;
    this.#uncommitted++;
    const from = ctx.channel;
    const committed = (): void => {
      this.#uncommitted--;
      if (this.#state === "stopped") return;
      for (const { link, parcel } of outgoing) link.send({ ...parcel, from });
      this.#parts.events.wake();
    };
    const keeps = lineage.keeps;
    lineage.append(
      {
        step,
        channel: from,
        seq: this.#seq,
        cause: task.cause,
        consumed:
          keeps && task.input !== undefined
            ? consumedOf(this.#parts.inputEdges[task.input]?.edge ?? -1, task.parcels)
            : [],
        produced: keeps ? producedOf(outgoing) : [],
      },
      committed,
    );
    if (task.input !== undefined && task.parcels.length > 0) inputs.release(task.input, task.parcels);
    return this.#stopsNow() ? this.#endEarly() : undefined;
  }

  /** True once user code called `ctx.stop()` and what it had returned by then is sent. */
  #stopsNow(): boolean {
    const { ctx, work } = this.#parts;
    return ctx.stopped && !this.#finishing && (work instanceof ReaderWork || this.#output === undefined);
  }

  #begin(): void {
    this.#seq++;
    if (this.#output === undefined) this.#input = undefined;
    this.#startedAt = this.#parts.clock.monotonic();
    this.#parts.ctx.begin(this.#seq);
  }

  /** Nobody wants more, or the operator has all it needs: inputs are cancelled, what was sent stays. */
  #endEarly(): void | Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    for (const input of this.#parts.inputs.open()) this.#parts.events.cancelInput(input);
    this.#parts.inputs.clear();
    const { work, ctx } = this.#parts;
    if (work instanceof SinkWork) {
      // A sink that stops early has taken all that it wants, and still has to hand over its part.
      return Promise.all([output?.close(), work.done(ctx)]).then(() => this.#finish());
    }
    if (output !== undefined) return output.close().then(() => this.#finish());
    return this.#finish();
  }

  #finish(): void | Promise<void> {
    this.#finishing = true;
    return this.#tryFinish();
  }

  /** Ends the channel's links once everything is committed and the spools are empty. */
  #tryFinish(): void | Promise<void> {
    const { outputs, work, events } = this.#parts;
    if (this.#state === "done" || this.#state === "stopped") return undefined;
    if (this.#output !== undefined) {
      if (outputs.unwanted) return this.#endEarly();
      if (!outputs.ready) {
        this.#state = "waiting-credit";
        return undefined;
      }
      if (this.#uncommitted < this.#parts.limits.uncommittedTasks) {
        this.#begin();
        return this.#drain(this.#output, () => ({ cause: { kind: "continue" }, input: undefined, parcels: noParcels }));
      }
    }
    if (this.#uncommitted > 0) return undefined;
    // Each link ends as soon as it can: a consumer may have to see the end of one before it reads what another holds.
    for (const link of outputs.links) if (link.drained) link.end();
    if (outputs.links.some((link) => !link.closed)) {
      this.#state = "waiting-credit";
      return undefined;
    }
    this.#state = "done";
    const report = async (): Promise<void> => {
      if (!(work instanceof ReaderWork)) await work.close();
      await this.#parts.ctx.spill.clear();
      events.done(work instanceof SinkWork ? work.part : undefined);
    };
    return report();
  }

  #pump(link: OutgoingLink): void {
    if (link.spool === undefined) return;
    link.pump().then(
      () => this.#parts.events.wake(),
      (error: unknown) => this.failFrom(error),
    );
  }

  failFrom(error: unknown): void {
    if (this.#state === "stopped" || this.#broken) return;
    this.#broken = true;
    const { ctx, events } = this.#parts;
    const input = this.#input === undefined ? {} : { input: this.#input };
    events.failed(locate(error, { step: ctx.step, channel: ctx.channel, seq: Math.max(0, this.#seq), ...input }));
  }
}
