import type { Context } from "../core/contracts/context.ts";
import type { Declares, Many, Operator } from "../core/contracts/operator.ts";
import type { PlacementStrategy } from "../core/placement-strategy.ts";

/** How a step is run, where the defaults don't fit. */
export interface StepOptions {
  /** Number of parallel instances. */
  readonly channels?: number;
  /** Where they run: `single()`, `perSlot(n)`, `perMachine(n)`, `tagged(tag, n)`, `withData()`. */
  readonly place?: PlacementStrategy;
}

/** Options of `apply`. */
export interface ApplyOptions<Names extends PropertyKey> extends StepOptions {
  /** The order in which inputs are drained: an input of a lower stage is read to its end first. Default 0. */
  readonly stages?: { readonly [K in Names]?: number };
  /** What the result depends on; `order-sensitive` unless told. */
  readonly declares?: Declares;
  /** Set where the operator calls `ctx.stop()`: behind it, an endless stream can end. */
  readonly endsEarly?: boolean;
  /** Name of the operator for explain; the name of its class unless told. */
  readonly kind?: string;
  /**
   * What happens when a task fails as often as `attempts` says: the execution does (default), or the task's objects are
   * passed over. They go to the side output `failed` of the step's stream, with the error. Needs a store.
   */
  readonly onFailure?: "fail" | "skip";
}

/** An object that was passed over, since the operator failed on the parcel that it was in. */
export interface PassedOver {
  /** The input that it came by. */
  readonly input: string;
  readonly object: unknown;
  /** Message of the error. */
  readonly error: string;
}

/** A factory of operators: every channel has one of its own. */
export type OperatorFactory<Inputs, Out, State> = () => Operator<Inputs, Out, State>;

/** What functions on an edge may ask of the engine. */
export type FunctionContext = Pick<Context, "now" | "random" | "step" | "channel" | "channels" | "seq" | "count">;

export type { Many };
