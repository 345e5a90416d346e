import type { Context, OperatorContext } from "../../lib/core/contracts/context.ts";
import type { Operator, Outputs } from "../../lib/core/contracts/operator.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { QStreamError, type Place } from "../../lib/core/errors.ts";
import { locate } from "./failure.ts";
import { watched } from "./strict-input.ts";

/** What a channel does in its tasks: the part that differs between readers, operators and sinks. */
export interface Work {
  open: (ctx: OperatorContext) => void | Promise<void>;
  readonly accepts: ((input: string) => boolean) | undefined;
  execute: (input: string, objects: readonly unknown[], ctx: OperatorContext) => Outputs<unknown>;
  inputDone: (input: string, ctx: OperatorContext) => Outputs<unknown>;
  /** Undefined where no timers can be set. */
  readonly onTimer: ((name: string, ctx: OperatorContext) => Outputs<unknown>) | undefined;
  done: (ctx: OperatorContext) => Outputs<unknown>;
  /** Undefined where the state can't be saved: such a channel is recovered by replay alone. */
  readonly snapshot: (() => unknown) | undefined;
  /** Takes a state that `snapshot` gave, after `open` and before the first task. */
  restore: (state: unknown) => void | Promise<void>;
  /** What has changed in the state since it was last asked for; undefined where only all of it can be saved. */
  readonly changes: (() => unknown) | undefined;
  /** Takes what `changes` gave, after `restore`. */
  readonly apply: ((changes: unknown) => void) | undefined;
  close: () => void | Promise<void>;
}

/** The work of an operator's channel. */
export class OperatorWork implements Work {
  // oxlint-disable-next-line typescript/no-explicit-any -- the names of its inputs are known to the flow's builder only
  readonly #operator: Operator<any, unknown>;
  /** A channel may end, and then be stopped because another one failed. */
  #closed = false;
  readonly #strict: boolean;

  /** @param strict - objects are read-only, and an operator that changes them fails */
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  constructor(create: () => Operator<any, unknown>, strict: boolean) {
    this.#strict = strict;
    this.#operator = create();
    if (typeof this.#operator?.execute !== "function") {
      throw new QStreamError("OPTION_INVALID", "the factory made something without execute", {
        advice: "Give a factory of operators: () => new MyOperator(), not the class itself",
      });
    }
    refuseHalves(this.#operator);
  }

  get accepts(): ((input: string) => boolean) | undefined {
    const operator = this.#operator;
    return operator.accepts === undefined ? undefined : (input) => operator.accepts?.(input) ?? true;
  }

  get snapshot(): (() => unknown) | undefined {
    const operator = this.#operator;
    // Without a way back a snapshot is of no use.
    if (operator.snapshot === undefined || operator.restore === undefined) return undefined;
    return () => operator.snapshot?.();
  }

  restore(state: unknown): void {
    const operator = this.#operator;
    if (operator.restore === undefined) refuseState("operator", state);
    else operator.restore(state);
  }

  get changes(): (() => unknown) | undefined {
    const operator = this.#operator;
    return operator.changes === undefined ? undefined : () => operator.changes?.() as unknown;
  }

  get apply(): ((changes: unknown) => void) | undefined {
    const operator = this.#operator;
    return operator.apply === undefined ? undefined : (changes) => operator.apply?.(changes);
  }

  get onTimer(): ((name: string, ctx: OperatorContext) => Outputs<unknown>) | undefined {
    const operator = this.#operator;
    return operator.onTimer === undefined ? undefined : (name, ctx) => operator.onTimer?.(name, ctx);
  }

  open(ctx: OperatorContext): void | Promise<void> {
    return this.#operator.open?.(ctx);
  }

  execute(input: string, objects: readonly unknown[], ctx: OperatorContext): Outputs<unknown> {
    if (!this.#strict) return this.#operator.execute({ input, objects }, ctx);
    return watched("an operator", objects, () => this.#operator.execute({ input, objects }, ctx));
  }

  inputDone(input: string, ctx: OperatorContext): Outputs<unknown> {
    return this.#operator.inputDone?.(input, ctx);
  }

  done(ctx: OperatorContext): Outputs<unknown> {
    return this.#operator.done?.(ctx);
  }

  close(): void | Promise<void> {
    if (this.#closed) return undefined;
    this.#closed = true;
    return this.#operator.close?.();
  }
}

/** Changes that nobody takes would be lost with the first failure. */
// oxlint-disable-next-line typescript/no-explicit-any -- see OperatorWork
function refuseHalves({ snapshot, restore, changes, apply }: Operator<any, unknown>): void {
  if (changes === undefined && apply === undefined) return;
  const named = { snapshot, restore, changes, apply };
  const missing = Object.entries(named).filter(([, method]) => typeof method !== "function");
  const [first] = missing;
  if (first === undefined) return;
  throw new QStreamError(
    "OPTION_INVALID",
    `the operator has ${changes === undefined ? "apply" : "changes"} without ${first[0]}`,
    {
      advice:
        "Changes are saved and taken on top of a whole state: give it snapshot, restore, changes and apply, or leave out the last two",
    },
  );
}

/** What had saved a state could take it: whatever can't is other code. Without the state the result would be wrong. */
function refuseState(what: "operator" | "sink", state: unknown): void {
  if (state === undefined) return;
  // Older checkpoints are of no use either: who recovers tells that by the cause.
  const cause = new QStreamError("CODE_CHANGED", `the ${what} that saved the state had restore(state)`);
  throw new QStreamError(
    "NOT_RECOVERABLE",
    `the checkpoint after this task holds a state, and the ${what} has no restore(state) that takes it`,
    {
      advice:
        "Give it restore(state) again, or go on with the code that the execution was started with; or run the flow from its start",
      cause,
    },
  );
}

/** The work of a sink's channel: it has no outputs, and its part of the result is kept until it's asked for. */
export class SinkWork implements Work {
  readonly accepts = undefined;
  readonly onTimer = undefined;
  readonly changes = undefined;
  readonly apply = undefined;
  readonly #sink: OutputSink<never, unknown>;
  readonly #strict: boolean;
  #channel: SinkChannel<never> | undefined;
  #place: Place = {};
  part: unknown;
  /** Is told of what fails behind the log: the number of the task that it has to do with. */
  failed: (error: unknown, seq: number) => void = () => {};

  /** @param strict - objects are read-only, and a sink that changes them fails */
  constructor(sink: OutputSink<never, unknown>, strict: boolean = false) {
    this.#sink = sink;
    this.#strict = strict;
  }

  async open(ctx: Context): Promise<void> {
    this.#place = { step: ctx.step, channel: ctx.channel };
    this.#channel = await this.#sink.open(ctx);
  }

  execute(_input: string, objects: readonly unknown[], ctx: Context): Outputs<unknown> {
    return this.#strict ? watched("a sink", objects, () => this.#write(objects, ctx)) : this.#write(objects, ctx);
  }

  #write(objects: readonly unknown[], ctx: Context): undefined | Promise<undefined> {
    const written: unknown = this.#channel?.write(objects as readonly never[], ctx);
    // A sink has no outputs: what `write` may return besides a promise means nothing.
    return written instanceof Promise ? written.then(() => undefined) : undefined;
  }

  inputDone(): void {}

  get snapshot(): (() => unknown) | undefined {
    const channel = this.#channel;
    if (channel?.snapshot === undefined || channel.restore === undefined) return undefined;
    return () => channel.snapshot?.();
  }

  restore(state: unknown): void | Promise<void> {
    const channel = this.#channel;
    if (channel?.restore === undefined) return refuseState("sink", state);
    return channel.restore(state as never);
  }

  async done(ctx: Context): Promise<void> {
    this.part = await this.#channel?.done?.(ctx);
  }

  async commit(): Promise<void> {
    try {
      await this.#channel?.commit?.();
    } catch (error) {
      throw locate(error, this.#place);
    }
  }

  async abort(): Promise<void> {
    await this.#channel?.abort?.();
  }

  /**
   * The log has a task.
   *
   * @param userSeq - its number as user code was told it
   */
  committed(seq: number, userSeq: number): void {
    try {
      const done = this.#channel?.committed?.(userSeq);
      if (done instanceof Promise) done.catch((error: unknown) => this.failed(error, seq));
    } catch (error) {
      this.failed(error, seq);
    }
  }

  /** Another life may go on: what a saved state may refer to stays. */
  async leave(): Promise<void> {
    if (this.snapshot === undefined) await this.abort();
    else await this.#channel?.leave?.();
  }

  close(): void {}
}
