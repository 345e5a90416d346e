import type { Operator, OperatorDefinition } from "../../core/contracts/operator.ts";
import { QStreamError } from "../../core/errors.ts";
import { nameOf } from "../../flow/make-step.ts";

/** An operator as a step is given one: its definition, or a plain factory. */
export type OperatorToCheck<Inputs, Out> = OperatorDefinition<Inputs, Out> | (() => Operator<Inputs, Out>);

// oxlint-disable-next-line typescript/no-explicit-any -- orders name inputs as text
export type AnyOperator = Operator<any, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type AnyDefinition = OperatorDefinition<any, unknown>;

/** One thing that happens to a channel of an operator. */
export type OrderStep =
  /** It takes objects of one input, in a task. Before that, so many milliseconds pass for `ctx.now()`. */
  | {
      readonly kind: "take";
      readonly input: string;
      readonly objects: readonly unknown[];
      readonly afterMs?: number;
      readonly channel?: number;
    }
  /** One of its inputs ends. */
  | { readonly kind: "end"; readonly input: string; readonly channel?: number }
  /** Its state is saved: whole, or what has changed since it was saved before, where the operator tells. */
  | { readonly kind: "save"; readonly channel?: number }
  /** It is saved and lost: another one goes on that was restored. */
  | { readonly kind: "restart"; readonly channel?: number };

/** One order in which an operator gets its inputs. A step that can't be taken yet is put off: for its stage, or `accepts`. */
export interface Order {
  readonly steps: readonly OrderStep[];
  /** How many channels there are; steps are those of channel 0 unless they name another. Default 1. */
  readonly channels?: number;
  /** All inputs. They end behind the steps, in this order. Default: those that steps name. */
  readonly inputs?: readonly string[];
  /** What `ctx.now()` says at first, in milliseconds since 1970. Default 0. */
  readonly startMs?: number;
  /** Seeds what isn't the engine's: what `Date.now()`, `performance.now()` and `Math.random()` say meanwhile. Default 1. */
  readonly outsideSeed?: number;
}

/** What became of an order. Exactly one of both is there. */
export interface OrderOutcome {
  /** What all channels gave; of columnar batches, their rows. */
  readonly outputs: readonly unknown[] | undefined;
  readonly error: Error | undefined;
}

/** Makes an operator, and says what is wrong where none comes of it. */
export function made({ create }: AnyDefinition): AnyOperator {
  let operator: unknown;
  try {
    operator = create();
  } catch (error) {
    if (!(error instanceof TypeError) || !error.message.startsWith("Class constructor")) throw error;
  }
  if (typeof (operator as Partial<AnyOperator> | undefined)?.execute === "function") return operator as AnyOperator;
  throw new QStreamError("OPTION_INVALID", "the factory made something without execute", {
    advice: "Give a factory of operators: () => new MyOperator(), not the class itself",
  });
}

/** The definition of an operator as it was given; undefined where none was. */
export function definitionOf(operator: unknown): AnyDefinition | undefined {
  if (typeof operator === "function") {
    return {
      kind: nameOf(operator as () => unknown),
      declares: "confluent",
      parallelism: "per-slot",
      representations: ["objects", "arrow", "polars"],
      create: operator as () => AnyOperator,
    };
  }
  const given = operator as Partial<AnyDefinition> | null | undefined;
  return typeof given?.create === "function" ? (given as AnyDefinition) : undefined;
}
