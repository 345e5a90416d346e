import type { DataFrame } from "nodejs-polars";
import type { Outputs } from "../../lib/core/contracts/operator.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import { HeldBatches, type HeldBatchesChanges, type HeldBatchesState } from "../held-batches.ts";
import type { OrderTerm } from "../order.ts";
import { mergeFrames } from "./merge-frames.ts";
import { sortFrame } from "./sort-frame.ts";
import { blockBytesFor, mergeWidthFor, type RunState, saveAll, SortedRun } from "./sorted-run.ts";

/** Rows of the batches that a sort in memory gives. */
const batchRows = 1 << 16;

/** Sorts columnar batches by Polars: in memory while they fit, else in runs on disk that are merged. */
export class BatchSorter<T> {
  readonly #terms: readonly OrderTerm<T>[];
  readonly #batches = new HeldBatches();
  #runs: SortedRun[] = [];
  #savedRuns = 0;

  constructor(terms: readonly OrderTerm<T>[]) {
    this.#terms = terms;
  }

  get hasRuns(): boolean {
    return this.#runs.length > 0;
  }

  isColumnar(objects: readonly unknown[]): boolean {
    return this.#batches.isColumnar(objects);
  }

  async add(batches: readonly unknown[], memoryBytes: number, disk: Disk): Promise<void> {
    for (const batch of batches) {
      this.#batches.add(batch);
      // Sorting makes a second copy.
      if (this.#batches.bytes > memoryBytes / 2) await this.#spill(memoryBytes, disk);
    }
  }

  /** All rows in order, in batches. */
  finish(memoryBytes: number, disk: Disk): Outputs<T> {
    if (this.hasRuns) return this.#merged(memoryBytes, disk);
    const give = (): T[] => {
      const frame = this.#batches.take();
      return frame === undefined ? [] : this.#pieces(sortFrame(frame, this.#terms, "sort"));
    };
    return this.#batches.ready()?.then(give) ?? give();
  }

  /** Batches in memory. From now on it is known what changes. */
  held(): HeldBatchesState {
    this.#savedRuns = this.#runs.length;
    return this.#batches.snapshot();
  }

  /** What has changed in memory since this or `held` was last called, undefined where that never was. Comes after `newRuns`. */
  changes(): HeldBatchesChanges | undefined {
    this.#savedRuns = this.#runs.length;
    return this.#batches.changes();
  }

  /** Runs that were made since the state was last saved. */
  newRuns(): readonly SortedRun[] {
    return this.#runs.slice(this.#savedRuns);
  }

  saveRuns(): Promise<RunState[]> {
    return saveAll(this.#runs);
  }

  restore(batches: HeldBatchesState, runs: readonly RunState[]): void {
    this.#batches.restore(batches);
    this.#runs = runs.map((state) => SortedRun.restored(state));
  }

  /** Takes over what `changes` and `newRuns` gave elsewhere. */
  apply(changes: HeldBatchesChanges, runs: readonly RunState[]): void {
    this.#batches.apply(changes);
    for (const state of runs) this.#runs.push(SortedRun.restored(state));
  }

  async close(): Promise<void> {
    for (const run of this.#runs) await run.remove();
    this.#runs = [];
  }

  #pieces(frame: DataFrame): T[] {
    if (frame.height <= batchRows) return [this.#batches.give(frame) as T];
    const pieces: T[] = [];
    for (let from = 0; from < frame.height; from += batchRows) {
      pieces.push(this.#batches.give(frame.slice(from, Math.min(batchRows, frame.height - from))) as T);
    }
    return pieces;
  }

  async #spill(memoryBytes: number, disk: Disk): Promise<void> {
    const { bytes } = this.#batches;
    const held = this.#batches.take();
    if (held === undefined || held.height === 0) return;
    const frame = sortFrame(held, this.#terms, "sort");
    const run = await SortedRun.create(disk);
    this.#runs.push(run);
    const rows = Math.max(1, Math.floor((frame.height * blockBytesFor(memoryBytes)) / Math.max(1, bytes)));
    for (let from = 0; from < frame.height; from += rows) {
      await run.append(this.#batches.support.encode(frame.slice(from, Math.min(rows, frame.height - from))));
    }
  }

  async *#merged(memoryBytes: number, disk: Disk): AsyncGenerator<T, void> {
    await this.#batches.ready();
    if (this.#batches.rows > 0) await this.#spill(memoryBytes, disk);
    const width = mergeWidthFor(memoryBytes);
    while (this.#runs.length > width) await this.#mergeFirst(width, disk);
    for await (const frame of mergeFrames(this.#runs, this.#terms, this.#batches.support)) {
      yield* this.#pieces(frame);
    }
    await this.close();
  }

  /** Makes one run of the first `width`, so that the last merge holds few enough blocks. */
  async #mergeFirst(width: number, disk: Disk): Promise<void> {
    const sources = this.#runs.slice(0, width);
    const merged = await SortedRun.create(disk);
    this.#runs.push(merged);
    const { support } = this.#batches;
    for await (const frame of mergeFrames(sources, this.#terms, support)) {
      // What a round of the merge gives may be as large as a block of every source: it is cut into their size again.
      const rows = Math.max(1, Math.ceil(frame.height / width));
      for (let from = 0; from < frame.height; from += rows) {
        await merged.append(support.encode(frame.slice(from, Math.min(rows, frame.height - from))));
      }
    }
    this.#runs.splice(0, width);
    for (const source of sources) await source.remove();
  }
}
