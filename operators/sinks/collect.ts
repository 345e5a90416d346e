import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadBatches, loadedBatches, representationOf } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { sampledBytes } from "../held-bytes.ts";
import { oneBatch } from "./one-batch.ts";

/** The forms in which `collect` gives a stream. */
export type CollectAs = "objects" | "arrow" | "polars";

/** Options of `collect`. */
export interface CollectOptions<As extends CollectAs | undefined = undefined> {
  /**
   * `objects`: an array of plain objects, also of a stream of batches; `arrow`: one table; `polars`: one frame. Default: an
   * array of what the stream has, batches as they are.
   */
  readonly as?: As;
  /** Estimated bytes that the result may have; more is COLLECT_LIMIT. Default 1 GiB. */
  readonly bytesMax?: number;
}

/** What `collect` gives. */
export type Collected<T, As extends CollectAs | undefined> = As extends "arrow"
  ? Table
  : As extends "polars"
    ? DataFrame
    : As extends "objects"
      ? (T extends Table | DataFrame ? Record<string, unknown> : T)[]
      : T[];

interface Part {
  readonly objects: readonly unknown[];
  readonly bytes: number;
}

/** The names of its options. */
export const collectOptionNames: readonly string[] = namesOf<CollectOptions>({ as: true, bytesMax: true });

/**
 * Gathers a stream where `run` was called. Idempotent: should the channel be made anew, it is given all tasks again.
 *
 * @param options - `as`, the form of the result, and `bytesMax`
 * @returns the sink; its result is the stream's objects in no particular order
 * @throws QStreamError COLLECT_LIMIT beyond `bytesMax`, BAD_INPUT where objects of different columns should be one table
 * @example
 * return { counts: counts.collect(), frame: flights.collect({ as: "polars" }) };
 */
export function collect<T, As extends CollectAs | undefined = undefined>(
  options: CollectOptions<As> = {},
): OutputSink<T, Collected<T, As>> {
  checkOptionNames("collect()", options, collectOptionNames);
  const { as, bytesMax } = options;
  return {
    kind: "collect",
    options: { as, bytesMax },
    guarantee: "idempotent",
    gathers: true,
    placement: "client",
    open: (ctx) => new CollectChannel(bytesMax ?? ctx.memoryBytes),
    result: async (parts) => {
      const collected = parts as readonly (Part | undefined)[];
      let bytes = 0;
      for (const part of collected) bytes += part?.bytes ?? 0;
      if (bytesMax !== undefined && bytes > bytesMax) throw overLimit(bytesMax);
      const objects: unknown[] = [];
      for (const part of collected) for (const object of part?.objects ?? []) objects.push(object);
      return (await convert(objects, as)) as Collected<T, As>;
    },
  };
}

class CollectChannel implements SinkChannel<unknown> {
  readonly #bytesMax: number;
  #objects: unknown[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  write(objects: readonly unknown[], ctx: Context): void {
    this.#bytes += bytesOf(objects);
    if (this.#bytes > this.#bytesMax) throw overLimit(this.#bytesMax, ctx);
    for (const object of objects) this.#objects.push(object);
  }

  done(): Part {
    return { objects: this.#objects, bytes: this.#bytes };
  }

  abort(): void {
    this.#objects = [];
    this.#bytes = 0;
  }
}

function bytesOf(objects: readonly unknown[]): number {
  if (representationOf(objects[0]) === undefined) return sampledBytes(objects);
  const batches = loadedBatches();
  invariant(batches !== undefined, "batches are supported before one arrives");
  return objects.reduce<number>((sum, batch) => sum + batches.bytes(batch), 0);
}

function overLimit(bytesMax: number, ctx?: Context): QStreamError {
  return new QStreamError("COLLECT_LIMIT", `the collected result has more than ${bytesMax} bytes`, {
    ...(ctx === undefined ? {} : { step: ctx.step, channel: ctx.channel, seq: ctx.seq }),
    advice: "Aggregate first, write to files or to a dataset, or raise the limit: collect({ bytesMax }).",
  });
}

async function convert(objects: unknown[], as: CollectAs | undefined): Promise<unknown> {
  const columnar = objects.some((object) => representationOf(object) !== undefined);
  if (as === undefined || (as === "objects" && !columnar)) return objects;
  const batches = await loadBatches();
  if (as === "objects") {
    const rows: unknown[] = [];
    for (const object of objects) {
      if (representationOf(object) === undefined) rows.push(object);
      else for (const row of batches.toObjects(object)) rows.push(row);
    }
    return rows;
  }
  const batch = joinAll(objects, batches);
  return as === "arrow" ? batches.toArrow(batch) : batches.toPolars(batch);
}

/** All as one table or frame; plain objects among batches become a batch too. */
function joinAll(objects: readonly unknown[], batches: BatchSupport): unknown {
  const plain = objects.filter((object) => representationOf(object) === undefined);
  const columnar = objects.filter((object) => representationOf(object) !== undefined);
  if (plain.length > 0 || columnar.length === 0)
    columnar.push(batches.fromObjects(plain as Record<string, unknown>[], "arrow"));
  return oneBatch(columnar, batches);
}
