import { loadedBatches, representationOf } from "../../lib/core/batch/index.ts";
import { encodeObjects } from "../../lib/core/codec/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { Dataset, type DatasetPart } from "../../lib/core/dataset.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import type { Payload } from "../../lib/core/payload.ts";

export interface DatasetOptions {
  /** Bytes that each channel may keep; 1 GiB unless told. */
  readonly bytesMax?: number;
}

/** The names of its options. */
export const datasetOptionNames: readonly string[] = namesOf<DatasetOptions>({ bytesMax: true });

const defaultBytesMax = 2 ** 30;

/** Keeps a stream's objects in the memory of the slots where they are made, encoded. Needs a session that goes on living. */
export function datasetSink<T>(options: DatasetOptions = {}): OutputSink<T, Dataset<T>> {
  checkOptionNames("datasetSink()", options, datasetOptionNames);
  const bytesMax = options.bytesMax ?? defaultBytesMax;
  return {
    kind: "dataset",
    options: { bytesMax },
    guarantee: "idempotent",
    gathers: true,
    placement: "with-producer",
    open: (ctx) => new DatasetChannel(ctx, bytesMax),
    result: (parts) => {
      const known = parts as readonly (DatasetPart & { readonly dataset: string })[];
      return new Dataset<T>(
        { id: known[0]?.dataset ?? "", parts: known.map(({ dataset: _dataset, ...part }) => part) },
        undefined,
      );
    },
  };
}

/**
 * It has no snapshot: what a slot keeps is lost with it, and a checkpoint would hold all of it. A new life is given all tasks
 * again, makes the same payloads, and puts them in the place of what an earlier one left in the same slot.
 */
class DatasetChannel implements SinkChannel<unknown> {
  readonly #ctx: Context;
  readonly #bytesMax: number;
  readonly #payloads: Payload[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(ctx: Context, bytesMax: number) {
    this.#ctx = ctx;
    this.#bytesMax = bytesMax;
  }

  write(objects: readonly unknown[]): void {
    if (representationOf(objects[0]) === undefined) this.#keep(encodeObjects(objects));
    else for (const batch of objects) this.#keep(encodeBatch(batch));
  }

  done(ctx: Context): DatasetPart & { readonly dataset: string } {
    const dataset = `${ctx.execution}/${ctx.step}`;
    const { channel } = ctx;
    ctx.datasets.put(ctx.execution, {
      dataset,
      channel,
      payloads: this.#payloads,
      rows: this.#rows,
      bytes: this.#bytes,
    });
    return { dataset, slot: ctx.datasets.slot, channel, rows: this.#rows, bytes: this.#bytes };
  }

  #keep(payload: Payload): void {
    this.#bytes += payload.bytes.byteLength;
    this.#rows += payload.rows;
    if (this.#bytes > this.#bytesMax) {
      throw new QStreamError(
        "LIMIT_EXCEEDED",
        `a channel of dataset "${this.#ctx.step}" has more than ${this.#bytesMax} bytes`,
        {
          advice: "Raise bytesMax of the dataset, use more channels, or write files",
        },
      );
    }
    this.#ctx.datasets.checkRoom(this.#bytes);
    this.#payloads.push(payload);
  }
}

function encodeBatch(batch: unknown): Payload {
  const support = loadedBatches();
  if (support === undefined) throw new QStreamError("INTERNAL", "a batch came to a dataset before batches were loaded");
  return support.encode(batch);
}
