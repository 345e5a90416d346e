import type { ColumnarView } from "../core/batch/view.ts";
import type { PartitionFunction, Route, RoutedTask, Router } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";

/** A part of an object for one channel. Make it with `slice`. */
export class Slice<out T> {
  readonly channel: number;
  readonly object: T;
  constructor(channel: number, object: T) {
    this.channel = channel;
    this.object = object;
  }
}

/**
 * A part of an object for one channel, for custom partition functions that take objects apart.
 *
 * @example custom((block: Float64Array, { channels }) => [slice(0, block.subarray(0, 10)), slice(channels - 1, block.subarray(10))])
 */
export function slice<T>(channel: number, object: T): Slice<T> {
  return new Slice(channel, object);
}

/** What a custom partition function may know besides the object. */
export interface CustomRoute {
  /** How many consuming channels there are: they are numbered from 0. */
  readonly channels: number;
  /** The producing channel. */
  readonly from: number;
  /** Number of the producer's task. */
  readonly seq: number;
  /** A number in [0, 1), the same on replay. */
  readonly random: () => number;
}

/** The channel of each row of a columnar batch. */
export interface RowChannels {
  readonly rows: Uint16Array;
}

/** Where an object goes: one channel, a copy to each of several, slices for several, or (a columnar batch) row by row. */
export type Destination<T> = number | readonly number[] | readonly Slice<T>[] | RowChannels;

/**
 * Sends objects where a function says: to one channel, to several, or slices of the object to several. An empty list sends the
 * object nowhere; a channel that a list names twice gets the object twice. The function must decide by its arguments alone, so
 * that replay repeats it: no clock, no Math.random.
 *
 * In a stream of columnar batches it is called with each whole batch, and may also return `{ rows }`, a channel for each row.
 *
 * @throws QStreamError CHANNEL_OUT_OF_RANGE when it names a channel that isn't there
 *
 * @example leaves.partition(custom((leaf: Leaf, { channels }) => leaf.height % channels))
 */
export function custom<T>(route: (object: T, info: CustomRoute) => Destination<T>): PartitionFunction<T> {
  return {
    kind: "custom",
    label: route.name === "" ? "custom" : `custom(${route.name})`,
    router: (link) => customRouter(route, link),
  };
}

function customRouter<T>(
  route: (object: T, info: CustomRoute) => Destination<T>,
  { from, channels }: Route,
): Router<T> {
  return {
    objects(objects, targets, task) {
      const info = infoOf(from, channels, task);
      for (let index = 0; index < objects.length; index += 1) {
        const object = objects[index] as T;
        const destination = route(object, info);
        if (typeof destination === "number") (targets[checked(destination, channels)] as unknown[]).push(object);
        else spread(object, destination, targets, channels);
      }
      return undefined;
    },
    batch(view, channelOfRow, task) {
      const destination = route(view.batch as T, infoOf(from, channels, task));
      if (typeof destination === "number") return checked(destination, channels);
      if ("rows" in destination) return fillRows(destination.rows, view, channelOfRow, channels);
      const pairs: [number, unknown][] = [];
      for (const part of listed(destination)) {
        if (part instanceof Slice) pairs.push([checked(part.channel, channels), part.object]);
        else pairs.push([checked(part, channels), view.batch]);
      }
      return pairs;
    },
  };
}

function infoOf(from: number, channels: number, { seq, random }: RoutedTask): CustomRoute {
  return { channels, from, seq, random };
}

function spread(
  object: unknown,
  destination: Exclude<Destination<unknown>, number>,
  targets: unknown[][],
  channels: number,
): void {
  if (typeof destination === "object" && destination !== null && "rows" in destination) {
    throw new QStreamError(
      "UNSUPPORTED",
      "a custom partition function returned { rows } for an object that is no columnar batch",
      {
        advice: "Return a channel, a list of channels, or a list of slices",
      },
    );
  }
  for (const part of listed(destination)) {
    if (part instanceof Slice) (targets[checked(part.channel, channels)] as unknown[]).push(part.object);
    else (targets[checked(part, channels)] as unknown[]).push(object);
  }
}

/** Checks that it is a list: a function without types may return anything. */
function listed(destination: unknown): readonly (number | Slice<unknown>)[] {
  if (Array.isArray(destination)) return destination as readonly (number | Slice<unknown>)[];
  throw outOfRange(destination, "channels");
}

function fillRows(rows: Uint16Array, view: ColumnarView, channelOfRow: Uint16Array, channels: number): undefined {
  if (!(rows instanceof Uint16Array) || rows.length !== view.rows) {
    throw new QStreamError(
      "CHANNEL_OUT_OF_RANGE",
      `a custom partition function gave ${rows.length} rows' channels for a batch of ${view.rows} rows`,
      {
        advice: "Return { rows } with a Uint16Array that holds one channel for each row",
      },
    );
  }
  for (let row = 0; row < rows.length; row += 1) channelOfRow[row] = checked(rows[row] ?? channels, channels);
}

function checked(channel: number, channels: number): number {
  if (channel >= 0 && channel < channels && (channel | 0) === channel) return channel;
  throw outOfRange(channel, channels);
}

function outOfRange(channel: unknown, channels: number | "channels"): QStreamError {
  const shown =
    typeof channel === "number" ? String(channel) : `a value of type ${channel === null ? "null" : typeof channel}`;
  const what = `a custom partition function returned ${shown}`;
  return new QStreamError(
    "CHANNEL_OUT_OF_RANGE",
    channels === "channels" ? what : `${what}, and there are channels 0 to ${channels - 1}`,
    {
      advice:
        "Return a whole number from 0 to below the `channels` it is given, a list of such, or a list of slice(channel, part)",
    },
  );
}
