import type { Parcel } from "./parcel.ts";

/** What one channel did so far. Counts only grow. */
export interface ChannelMetrics {
  /** What a reader's splits gave: objects, or rows of batches. */
  objectsRead: number;
  objectsIn: number;
  objectsOut: number;
  batchesIn: number;
  batchesOut: number;
  /** Bytes of what was taken and sent; estimated where objects pass by reference. */
  bytesIn: number;
  bytesOut: number;
  /** Bytes of `bytesOut` that left the slot. */
  bytesExchanged: number;
  parcelsIn: number;
  parcelsOut: number;
  tasks: number;
  /** Tasks that were run again from the log after a loss; not counted twice in what users see of the stream. */
  tasksReplayed: number;
  /** Tasks that were run once more to see whether they do the same, and did. */
  tasksVerified: number;
  /** Milliseconds in tasks, waits of asynchronous code included. */
  busyMs: number;
  /** Milliseconds in which nothing could be sent for want of credit. */
  creditWaitMs: number;
  /** Bytes that went to disk because a stage was blocked. */
  spooledBytes: number;
  /** Splits of a reader, done and in all. */
  splitsDone: number;
  splits: number;
  /** In a loop with rounds: its round, of several channels that of the one that is ahead; 0 elsewhere. */
  round: number;
  /** @internal What earlier lives had counted up to the checkpoint that this one goes on from; it isn't in the counts above. */
  before?: ObjectCounts | undefined;
  /** Counters of the operator's own, by name; "passed over" counts the objects that a step with `onFailure: "skip"` passed over. */
  counters: Record<string, number>;
}

/** Objects that came to a channel, and left it. */
export type ObjectCounts = Readonly<Pick<ChannelMetrics, "objectsRead" | "objectsIn" | "objectsOut">>;

/** What a channel counted in all of its lives: to be saved with its state. */
export function countsOf({ objectsRead, objectsIn, objectsOut, before }: ChannelMetrics): ObjectCounts {
  return {
    objectsRead: objectsRead + (before?.objectsRead ?? 0),
    objectsIn: objectsIn + (before?.objectsIn ?? 0),
    objectsOut: objectsOut + (before?.objectsOut ?? 0),
  };
}

/** The counter of objects that were passed over since their task failed again and again. */
export const passedOver = "passed over";

export function emptyMetrics(): ChannelMetrics {
  return {
    objectsRead: 0,
    objectsIn: 0,
    objectsOut: 0,
    batchesIn: 0,
    batchesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    bytesExchanged: 0,
    parcelsIn: 0,
    parcelsOut: 0,
    tasks: 0,
    tasksReplayed: 0,
    tasksVerified: 0,
    busyMs: 0,
    creditWaitMs: 0,
    spooledBytes: 0,
    splitsDone: 0,
    splits: 0,
    round: 0,
    counters: {},
  };
}

/** Counts the parcels that a task took. */
export function countTaken(metrics: ChannelMetrics, parcels: readonly Parcel[]): void {
  for (const parcel of parcels) {
    metrics.objectsIn += parcel.rows;
    metrics.bytesIn += parcel.bytes;
    metrics.parcelsIn++;
    if (parcel.columnar) metrics.batchesIn++;
  }
}

/** Adds the counts of `other` to `total`. */
export function addMetrics(total: ChannelMetrics, other: ChannelMetrics): void {
  for (const [name, value] of Object.entries(other)) {
    if (typeof value === "number") {
      const key = name as Exclude<keyof ChannelMetrics, "counters" | "before">;
      if (key === "round") total.round = Math.max(total.round, value);
      else total[key] += value;
    }
  }
  for (const [name, value] of Object.entries(other.counters)) {
    total.counters[name] = (total.counters[name] ?? 0) + value;
  }
}
