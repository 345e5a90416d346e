import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadBatches, loadedBatches, representationOf } from "../lib/core/batch/index.ts";
import type { Representation as StreamRepresentation } from "../lib/core/contracts/operator.ts";
import { invariant, QStreamError } from "../lib/core/errors.ts";
import type { Payload } from "../lib/core/payload.ts";

/** Held batches as plain data. */
export interface HeldBatchesState {
  readonly representation: StreamRepresentation | undefined;
  readonly payloads: readonly Payload[];
}

/** Columnar batches that an operator holds, as Polars frames, and the representation in which it gives what it makes. */
export class HeldBatches {
  #frames: DataFrame[] = [];
  /** Batches of a restored state: they are decoded when the support for batches is loaded. */
  #restored: readonly Payload[] = [];
  #rows = 0;
  #bytes = 0;
  /** What the stream holds; undefined before its first object. */
  representation: StreamRepresentation | undefined;

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The support for batches. @throws QStreamError INTERNAL before `ready`, or before a task with a batch */
  get support(): BatchSupport {
    const support = loadedBatches();
    invariant(support !== undefined, "the support for batches is loaded before a task that holds one");
    return support;
  }

  /** A promise where the support has to be loaded first: after a restored state, if no batch came since. */
  ready(): Promise<unknown> | undefined {
    return loadedBatches() === undefined ? loadBatches() : undefined;
  }

  /** Takes a batch of the stream. @throws QStreamError MIXED_REPRESENTATION */
  add(batch: unknown): void {
    this.addFrame(this.convert(batch));
  }

  /** True for a task of columnar batches. @throws QStreamError MIXED_REPRESENTATION where earlier tasks held others */
  isColumnar(objects: readonly unknown[]): boolean {
    if (objects.length > 0) this.#expect(objects[0]);
    return this.representation === "arrow" || this.representation === "polars";
  }

  /** A batch of the stream as a frame, without holding it. @throws QStreamError MIXED_REPRESENTATION */
  convert(batch: unknown): DataFrame {
    this.#expect(batch);
    return this.support.toPolars(batch);
  }

  #expect(object: unknown): void {
    const found = representationOf(object) ?? "objects";
    this.representation ??= found;
    if (found === this.representation) return;
    const names = { objects: "plain objects", arrow: "Arrow tables", polars: "Polars frames" };
    throw new QStreamError(
      "MIXED_REPRESENTATION",
      `a stream of ${names[this.representation]} has ${names[found]} in it`,
      {
        advice: "Convert the stream to one representation first.",
      },
    );
  }

  addFrame(frame: DataFrame): void {
    if (frame.height === 0 && this.#frames.length > 0) return;
    this.#frames.push(frame);
    this.#rows += frame.height;
    this.#bytes += this.support.bytes(frame);
  }

  /** Hands all rows over as one frame; undefined where there never was a batch. */
  take(): DataFrame | undefined {
    this.#decode();
    const frames = this.#frames;
    this.#frames = [];
    this.#rows = 0;
    this.#bytes = 0;
    return frames.length === 0 ? undefined : (this.support.concat(frames) as DataFrame);
  }

  /** A frame in the representation of the stream. */
  give(frame: DataFrame): unknown {
    return this.support.fromPolars(frame, this.representation === "arrow" ? "arrow" : "polars");
  }

  snapshot(): HeldBatchesState {
    const payloads = [...this.#restored, ...this.#frames.map((frame) => this.support.encode(frame))];
    return { representation: this.representation, payloads };
  }

  restore({ representation, payloads }: HeldBatchesState): void {
    this.representation = representation;
    this.#restored = payloads;
    this.#rows = payloads.reduce((rows, payload) => rows + payload.rows, 0);
    this.#bytes = payloads.reduce((bytes, payload) => bytes + payload.bytes.byteLength, 0);
  }

  #decode(): void {
    if (this.#restored.length === 0) return;
    this.#frames = [...this.#restored.map((payload) => this.support.decode(payload) as DataFrame), ...this.#frames];
    this.#restored = [];
  }
}
