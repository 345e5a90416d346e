import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadBatches, loadedBatches, representationOf } from "../lib/core/batch/index.ts";
import type { Deal, Representation as StreamRepresentation } from "../lib/core/contracts/operator.ts";
import { invariant, QStreamError } from "../lib/core/errors.ts";
import type { Payload } from "../lib/core/payload.ts";
import { shareOf } from "./held-bytes.ts";
import { rowsOf, takenRows } from "./taken-rows.ts";

/** Held batches as plain data. */
export interface HeldBatchesState {
  readonly representation: StreamRepresentation | undefined;
  readonly payloads: readonly Payload[];
  /** Bytes as they are counted in memory, where the payloads may take others. */
  readonly bytes: number;
}

/** What has changed in held batches. */
export interface HeldBatchesChanges extends HeldBatchesState {
  /** All were handed over in between: payloads are what came afterwards, and not what came on top. */
  readonly taken: boolean;
}

/** Columnar batches that an operator holds, as Polars frames, and the representation in which it gives what it makes. */
export class HeldBatches {
  #frames: DataFrame[] = [];
  /** Batches of a restored state: they are decoded when the support for batches is loaded. */
  #restored: readonly Payload[] = [];
  #rows = 0;
  #bytes = 0;
  /** How many of the batches are in the saved state; undefined while that never was. */
  #saved: number | undefined;
  #takenSince = false;
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
    if (this.#saved !== undefined) this.#saved = 0;
    this.#takenSince = true;
    return frames.length === 0 ? undefined : (this.support.concat(frames) as DataFrame);
  }

  /** A frame in the representation of the stream. */
  give(frame: DataFrame): unknown {
    return this.support.fromPolars(frame, this.representation === "arrow" ? "arrow" : "polars");
  }

  snapshot(): HeldBatchesState {
    const payloads = [...this.#restored, ...this.#frames.map((frame) => this.support.encode(frame))];
    this.#noteSaved();
    return { representation: this.representation, payloads, bytes: this.#bytes };
  }

  restore({ representation, payloads, bytes }: HeldBatchesState): void {
    this.representation = representation;
    this.#restored = payloads;
    this.#rows = rowsOf(payloads);
    this.#bytes = bytes;
  }

  /** What has changed since this or `snapshot` was last called; undefined where that never was. */
  changes(): HeldBatchesChanges | undefined {
    const saved = this.#saved;
    if (saved === undefined) return undefined;
    const payloads = this.#frames.slice(saved - this.#restored.length).map((frame) => this.support.encode(frame));
    const taken = this.#takenSince;
    this.#noteSaved();
    return { representation: this.representation, payloads, bytes: this.#bytes, taken };
  }

  /** Takes over what `changes` gave elsewhere, on top of a restored state. */
  apply({ taken, payloads, ...state }: HeldBatchesChanges): void {
    this.restore({ ...state, payloads: taken ? payloads : [...this.#restored, ...payloads] });
  }

  #noteSaved(): void {
    this.#saved = this.#restored.length + this.#frames.length;
    this.#takenSince = false;
  }

  #decode(): void {
    if (this.#restored.length === 0) return;
    this.#frames = [...this.#restored.map((payload) => this.support.decode(payload) as DataFrame), ...this.#frames];
    this.#restored = [];
  }
}

/** The batches of several states in one. */
export function joinedBatches(states: readonly HeldBatchesState[]): HeldBatchesState {
  return {
    representation: states.find(({ representation }) => representation !== undefined)?.representation,
    payloads: states.flatMap(({ payloads }) => payloads),
    bytes: states.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Of the batches of several states the rows whose keys are taken. */
export function dealBatches(
  states: readonly HeldBatchesState[],
  names: readonly string[],
  deal: Deal,
  support: BatchSupport,
): HeldBatchesState {
  return joinedBatches(
    states.map(({ representation, payloads, bytes }) => {
      const taken = takenRows(payloads, names, deal, support);
      return { representation, payloads: taken, bytes: shareOf(bytes, rowsOf(taken), rowsOf(payloads)) };
    }),
  );
}
