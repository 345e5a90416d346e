import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { registerCodec } from "./codec/index.ts";
import { QStreamError } from "./errors.ts";

/** One channel's part of a dataset: which slot keeps it, and how much it is. */
export interface DatasetPart {
  readonly slot: string;
  readonly channel: number;
  readonly rows: number;
  readonly bytes: number;
}

/** What a dataset is known by everywhere: plain data. */
export interface DatasetReference {
  readonly id: string;
  readonly parts: readonly DatasetPart[];
}

/** Reads and frees datasets for those who hold one: the session that keeps them. */
export interface DatasetKeeper {
  read: (reference: DatasetReference, as: "objects" | "arrow" | "polars") => Promise<unknown>;
  release: (dataset: string) => void;
}

/**
 * Objects of a stream, kept in the memory of the slots that made them. It can be read back, and be an argument of a later
 * flow on the same session, which reads it where it is. Release it when it isn't needed any more.
 */
export class Dataset<out T> implements DatasetReference, AsyncDisposable {
  /** Never present: carries the type of the objects. */
  declare readonly objectType?: T | undefined;
  readonly id: string;
  readonly parts: readonly DatasetPart[];
  readonly #keeper: DatasetKeeper | undefined;

  /** @internal */
  constructor(reference: DatasetReference, keeper: DatasetKeeper | undefined) {
    this.id = reference.id;
    this.parts = reference.parts;
    this.#keeper = keeper;
  }

  /** Number of objects; of rows, where the stream held columnar batches. */
  get rows(): number {
    return this.parts.reduce((sum, part) => sum + part.rows, 0);
  }

  /** Bytes of memory that all slots together keep. */
  get bytes(): number {
    return this.parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  /** All objects, in no promised order; rows as plain objects where the stream held batches. */
  async objects(): Promise<T[]> {
    return (await this.#keep().read(this, "objects")) as T[];
  }

  /** All rows as one Arrow table. */
  async arrow(): Promise<Table> {
    return (await this.#keep().read(this, "arrow")) as Table;
  }

  /** All rows as one Polars frame. */
  async polars(): Promise<DataFrame> {
    return (await this.#keep().read(this, "polars")) as DataFrame;
  }

  /** Frees the memory. Reading it afterwards is DATASET_RELEASED. */
  release(): void {
    this.#keep().release(this.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  #keep(): DatasetKeeper {
    if (this.#keeper !== undefined) return this.#keeper;
    throw new QStreamError("UNSUPPORTED", `dataset ${this.id} can't be read back inside of a flow`, {
      advice: "In a builder, read it as a stream: q.read(id, dataset(args.data))",
    });
  }
}

// As an argument of a flow, a dataset is its reference.
registerCodec(Dataset, {
  name: "qstream.dataset",
  encode: ({ id, parts }: Dataset<unknown>): DatasetReference => ({ id, parts }),
  decode: (reference: DatasetReference) => new Dataset<unknown>(reference, undefined),
});
