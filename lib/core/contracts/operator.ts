import type { KeySelector } from "../key.ts";
import type { OperatorContext } from "./context.ts";
import type { Key } from "./partition.ts";

declare const inputsOf: unique symbol;

/**
 * One turn of an operator: consecutive objects of one of its inputs. `input` narrows `objects` when both are taken by one
 * destructured parameter. Objects are read-only: another consumer may hold the same ones.
 */
export type Task<Inputs> = {
  [K in keyof Inputs]: {
    readonly input: K;
    readonly objects: readonly Inputs[K][];
    /** Carries `Inputs`, so that they can be inferred from a class. Never present. */
    readonly [inputsOf]?: Inputs;
  };
}[keyof Inputs];

/** Several objects at once: an array, a generator or any iterable but a string. */
export type Many<T> = readonly T[] | Generator<T, void> | (Iterable<T, void> & object);

/** The type of one object of a `Many`. */
export type ObjectIn<I> = I extends Iterable<infer T> ? T : never;

/** What `execute`, `inputDone`, `onTimer` and `done` may return. */
export type Outputs<Out> = void | Many<Out> | AsyncIterable<Out, void> | Promise<void | Many<Out>>;

/** The contract of an operator over the tasks it takes; write `Operator<Inputs, Out>` instead. */
// oxlint-disable-next-line typescript/no-explicit-any -- the state type is invariant: `unknown` would refuse every class
export interface TaskOperator<in Work, out Out, in out State = any> {
  /** Called once before the first task. */
  open?: (ctx: OperatorContext) => void | Promise<void>;
  /** Called for each task. What it returns or yields goes downstream. */
  execute: (task: Work, ctx: OperatorContext) => Outputs<Out>;
  /**
   * Asked before each task whether it can take objects of this input now; all inputs while absent. An operator that needs
   * its inputs in step (zip) answers false for the one that is ahead, which holds that input's producers back.
   */
  accepts?: (input: string) => boolean;
  /** Called once when this input has ended. */
  inputDone?: (input: string, ctx: OperatorContext) => Outputs<Out>;
  /**
   * Called when a timer goes off that was set by `ctx.timers.set`, with its name. What it returns or yields goes downstream.
   * `ctx.now()` is the time at which it went off, never before the one that it was set for. Not called once all inputs have ended.
   */
  onTimer?: (name: string, ctx: OperatorContext) => Outputs<Out>;
  /** Called once when all inputs have ended. Pending timers are dropped then: what they were for is to be done here. */
  done?: (ctx: OperatorContext) => Outputs<Out>;
  /** The state as structured-cloneable data, between two tasks. A promise is waited for. */
  snapshot?: () => State | Promise<State>;
  /** Takes a state that `snapshot` gave, before the first task. */
  restore?: (state: State) => void;
  /**
   * What of the state has changed since the last call of `snapshot` or `changes`, as structured-cloneable data: for states so
   * large that saving all of them every few seconds costs too much. Called only after a `snapshot` of this same operator. A
   * promise is waited for. Undefined where it can't tell: then `snapshot` is called instead. Needs `apply`.
   *
   * @example
   * changes() { const counts = [...this.#touched].map((key) => [key, this.#counts.get(key)]); this.#touched.clear(); return counts; }
   * apply(counts) { for (const [key, count] of counts) this.#counts.set(key, count); }
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- as with the state; it is seldom of its type
  changes?: () => any;
  /**
   * Takes what `changes` gave, after `restore` and all changes before it, in their order. Afterwards the operator goes on just
   * as the one that was saved, also where order shows: in what `done` gives, say.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- see changes
  apply?: (changes: any) => void;
  /** Called once when the channel ends, also after a failure. */
  close?: () => void | Promise<void>;
}

/**
 * A stateful operator with named inputs. `Inputs` maps each input's name to its object type.
 *
 * @example
 * class Total implements Operator<{ in: number }, number> {
 *   #total = 0;
 *   execute({ objects }: Task<{ in: number }>) { for (const n of objects) this.#total += n; }
 *   done() { return [this.#total]; }
 * }
 */
// oxlint-disable-next-line typescript/no-explicit-any -- see TaskOperator
export type Operator<Inputs, Out, State = any> = TaskOperator<Task<Inputs>, Out, State>;

/** An operator that can be checkpointed: implement it beside `Operator` to have both methods asked for by the compiler. */
export interface Stateful<State> {
  snapshot: () => State | Promise<State>;
  restore: (state: State) => void;
}

/** An operator that says what of its state has changed: implement it beside `Stateful`. */
export interface Incremental<Changes> {
  changes: () => Changes | undefined | Promise<Changes | undefined>;
  apply: (changes: Changes) => void;
}

/**
 * What a step declares of its result: `confluent`: it doesn't depend on the order between inputs nor on how objects are
 * batched; `order-sensitive`: it does; `arbitrary-choice`: any of several results is right (a limit, ties).
 */
export type Declares = "confluent" | "order-sensitive" | "arbitrary-choice";

/** How objects are represented in a stream: as plain objects, or as columnar batches. */
export type Representation = "objects" | "arrow" | "polars";

/** Says which part of a state a channel takes over, when the channels of a step become more or fewer. */
export interface Deal {
  /** True for the keys whose objects the channel gets from now on, where the step's channels get objects by `hash`. */
  readonly takes: (key: Key) => boolean;
  /** The same of all keys of a key group, 0 to 1,023. */
  readonly takesGroup: (group: number) => boolean;
  /** True in one channel of all for each state: there, what a state holds that belongs to no key may go. */
  readonly takesRest: boolean;
}

/**
 * An operator with what the plan should know of it. A plain factory `() => Operator` is a definition with all defaults;
 * built-in operators are made of nothing else.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- see TaskOperator
export interface OperatorDefinition<Inputs, Out, State = any> {
  /** Short kind for explain: "distinct", "hash-join". */
  readonly kind: string;
  /** Structured-cloneable description, part of the flow's fingerprint. */
  readonly options?: unknown;
  readonly declares: Declares;
  /** Default number of channels: one a slot, one, or as many as the producer has. */
  readonly parallelism: "per-slot" | "single" | "same";
  readonly representations: readonly Representation[];
  /** The order in which inputs are drained: lower stages to their end first. */
  readonly stages?: { readonly [K in keyof Inputs]?: number };
  /** True if `accepts` may refuse an input, so that edges into it can be blocked. */
  readonly mayBlock?: boolean;
  /** True if it may call `ctx.stop()`: behind it, an endless stream can end. */
  readonly endsEarly?: boolean;
  readonly create: () => Operator<Inputs, Out, State>;
  /**
   * Makes one state of several channels' states, of what `deal` takes of them: so that a step can go on with another number of
   * channels. States are whole ones, as `snapshot` gave them; there may be one, of which only a part is taken, or none. No two
   * of them hold the same key, where channels get objects by `hash` of it. Without it, the step keeps its number of channels.
   *
   * @example
   * deal: (states, { takes }) => states.flatMap((counts) => counts.filter(([key]) => takes(key)))
   */
  readonly deal?: (states: readonly State[], deal: Deal) => State | Promise<State>;
  /**
   * True for a pending timer that the channel takes over with the part of the state that `deal` gives it. Of several channels'
   * timers of one name, it gets the earliest. Without it, a step with pending timers keeps its number of channels.
   *
   * @example
   * dealTimer: (name, { takes }) => takes(name) // timers are named by keys
   */
  readonly dealTimer?: (name: string, deal: Deal) => boolean;
  /**
   * By which key of each input's objects the state is kept, where it is: a property or column, several, or a function. An input
   * whose objects come otherwise than by `hash` of that key must not be dealt.
   */
  readonly keys?: { readonly [K in keyof Inputs]?: KeySelector<Inputs[K]> };
}
