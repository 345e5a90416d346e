import type { Context } from "../../lib/core/contracts/context.ts";
import type { Operator, Outputs } from "../../lib/core/contracts/operator.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { QStreamError, type Place } from "../../lib/core/errors.ts";
import { locate } from "./failure.ts";
import { watched } from "./strict-input.ts";
import { TaskOutput } from "./task-output.ts";

/** What a channel does in its tasks: the part that differs between readers, operators and sinks. */
export interface Work {
  open: (ctx: Context) => void | Promise<void>;
  readonly accepts: ((input: string) => boolean) | undefined;
  execute: (input: string, objects: readonly unknown[], ctx: Context) => Outputs<unknown>;
  inputDone: (input: string, ctx: Context) => Outputs<unknown>;
  done: (ctx: Context) => Outputs<unknown>;
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
    if (typeof this.#operator?.execute === "function") return;
    throw new QStreamError("OPTION_INVALID", "the factory made something without execute", {
      advice: "Give a factory of operators: () => new MyOperator(), not the class itself",
    });
  }

  get accepts(): ((input: string) => boolean) | undefined {
    const operator = this.#operator;
    return operator.accepts === undefined ? undefined : (input) => operator.accepts?.(input) ?? true;
  }

  open(ctx: Context): void | Promise<void> {
    return this.#operator.open?.(ctx);
  }

  execute(input: string, objects: readonly unknown[], ctx: Context): Outputs<unknown> {
    if (!this.#strict) return this.#operator.execute({ input, objects }, ctx);
    return watched(objects, () => this.#operator.execute({ input, objects }, ctx));
  }

  inputDone(input: string, ctx: Context): Outputs<unknown> {
    return this.#operator.inputDone?.(input, ctx);
  }

  done(ctx: Context): Outputs<unknown> {
    return this.#operator.done?.(ctx);
  }

  close(): void | Promise<void> {
    if (this.#closed) return undefined;
    this.#closed = true;
    return this.#operator.close?.();
  }
}

/** The work of a sink's channel: it has no outputs, and its part of the result is kept until it's asked for. */
export class SinkWork implements Work {
  readonly accepts = undefined;
  readonly #sink: OutputSink<never, unknown>;
  #channel: SinkChannel<never> | undefined;
  #place: Place = {};
  part: unknown;

  constructor(sink: OutputSink<never, unknown>) {
    this.#sink = sink;
  }

  async open(ctx: Context): Promise<void> {
    this.#place = { step: ctx.step, channel: ctx.channel };
    this.#channel = await this.#sink.open(ctx);
  }

  execute(_input: string, objects: readonly unknown[], ctx: Context): Outputs<unknown> {
    const written: unknown = this.#channel?.write(objects as readonly never[], ctx);
    // A sink has no outputs: what `write` may return besides a promise means nothing.
    return written instanceof Promise ? written.then(() => undefined) : undefined;
  }

  inputDone(): void {}

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

  close(): void {}
}

/** The work of a reader's channel: its splits, one after the other. */
export class ReaderWork {
  readonly #reader: Reader<unknown>;
  readonly #splits: readonly { readonly index: number; readonly split: unknown }[];
  #next = 0;
  /** Objects read of the current split. */
  position = 0;

  constructor(reader: Reader<unknown>, splits: readonly { readonly index: number; readonly split: unknown }[]) {
    this.#reader = reader;
    this.#splits = splits;
  }

  get splitsDone(): number {
    return this.#next;
  }

  get splits(): number {
    return this.#splits.length;
  }

  /** Index of the split that is being read, among all splits of the reader. */
  get split(): number {
    return this.#splits[this.#next - 1]?.index ?? -1;
  }

  /** Starts the next split; undefined when there is none. */
  nextSplit(ctx: Context): TaskOutput | undefined {
    const next = this.#splits[this.#next];
    if (next === undefined) return undefined;
    this.#next++;
    this.position = 0;
    const reading = this.#reader.read(next.split, ctx);
    // An array of a reader may hold runs and side outputs among its objects, so it is gone through one by one.
    return new TaskOutput(Array.isArray(reading) ? reading.values() : reading);
  }
}
