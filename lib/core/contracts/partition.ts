import type { ColumnarView } from "../batch/view.ts";

/** What a router knows of the link it serves. */
export interface Route {
  /** Producing channel and how many there are. */
  readonly from: number;
  readonly producers: number;
  /** How many consuming channels there are. */
  readonly channels: number;
}

/** What a router knows of the task whose outputs it routes. */
export interface RoutedTask {
  readonly seq: number;
  readonly random: () => number;
}

/**
 * Sends the objects of one task to channels. A router holds no state between tasks: what it does is decided by the objects
 * and the task, so that replay routes the same.
 */
export interface Router<in T> {
  /**
   * Routes a run of objects: adds each to `targets[channel]`, whose empty array it may replace, or returns a whole-parcel decision without a copy:
   * a channel number, or "all" for a copy to every channel.
   */
  objects: (objects: readonly T[], targets: unknown[][], task: RoutedTask) => number | "all" | undefined;
  /**
   * Gives a loop that makes objects by a function and adds them to targets, as `objects` would do with an array of what was
   * made: one pass instead of two. Undefined where `objects` must be asked.
   */
  made?: ((each: Making["each"]) => MadeLoop | undefined) | undefined;
  /**
   * Routes one columnar batch: writes each row's channel to `channelOfRow`, or returns a whole-batch decision.
   * Slices are [channel, batch] pairs made by the function itself.
   */
  batch: (
    batch: ColumnarView,
    channelOfRow: Uint16Array,
    task: RoutedTask,
  ) => number | "all" | undefined | readonly (readonly [number, unknown])[];
}

/** Makes an object of each and adds it to its channel's array in `targets`. */
export type MadeLoop = (objects: readonly unknown[], making: Making, targets: readonly unknown[][]) => void;

/** How objects are made while they are routed. */
export interface Making {
  readonly each: (object: never, ctx: never) => unknown;
  /** The second argument of `each`. */
  readonly ctx: unknown;
  /** What was made of the first object: that isn't done again. */
  readonly first: unknown;
  /** The error to throw for one that `each` threw. */
  readonly failed: (error: unknown) => unknown;
}

/** Decides for each object which downstream channels get it. */
export interface PartitionFunction<in T> {
  readonly kind: "hash" | "range" | "broadcast" | "pass-through" | "round-robin" | "custom";
  /** Structured-cloneable description, part of the fingerprint, shown by explain. */
  readonly options?: unknown;
  /** One line for explain: `hash(tree)`. */
  readonly label: string;
  /** Refuses channel counts it can't serve, when the flow is built. */
  check?: ((producers: number, channels: number) => string | undefined) | undefined;
  router: (route: Route) => Router<T>;
}

/** What a key may be: equal keys go to the same channel, in every representation. */
export type Key = string | number | bigint | boolean | null | undefined | Date | Uint8Array | readonly Key[];
