import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import type { Outputs } from "../../lib/core/contracts/operator.ts";
import { type Run, run } from "../../lib/core/contracts/reader.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import { sampledBytes } from "../held-bytes.ts";
import { KeyColumns, type OrderTerm, sorted } from "../order.ts";
import { blockBytesFor, mergeWidthFor, type RunState, saveAll, SortedRun } from "./sorted-run.ts";

/** What has changed in a sort of objects. */
export interface ObjectSortChanges {
  /** What was held has become runs: objects are what came afterwards, and not what came on top. */
  readonly spilled: boolean;
  readonly objects: readonly unknown[];
  readonly bytes: number;
}

/** Sorts plain objects: in memory while they fit, else in runs on disk that are merged. */
export class ObjectSorter<T> {
  readonly #terms: readonly OrderTerm<T>[];
  #objects: T[] = [];
  #bytes = 0;
  #runs: SortedRun[] = [];
  /** How many of the objects and runs are in the saved state. */
  #savedObjects = 0;
  #savedRuns = 0;
  #spilledSince = false;

  constructor(terms: readonly OrderTerm<T>[]) {
    this.#terms = terms;
  }

  get hasRuns(): boolean {
    return this.#runs.length > 0;
  }

  add(objects: readonly T[], memoryBytes: number, disk: Disk): void | Promise<void> {
    for (const object of objects) this.#objects.push(object);
    this.#bytes += sampledBytes(objects);
    if (this.#bytes > memoryBytes) return this.#spill(memoryBytes, disk);
  }

  /** All objects in order. */
  finish(memoryBytes: number, disk: Disk): Outputs<T> {
    if (this.hasRuns) return this.#merged(memoryBytes, disk) as AsyncIterable<T, void>;
    const objects = this.#objects;
    this.#objects = [];
    return sorted(objects, this.#terms);
  }

  /** Objects in memory, and the bytes that they count for. From now on it is known what changes. */
  held(): { readonly objects: readonly T[]; readonly bytes: number } {
    this.#noteSaved();
    return { objects: this.#objects, bytes: this.#bytes };
  }

  /** What has changed in memory since this or `held` was last called. Comes after `newRuns`. */
  changes(): ObjectSortChanges {
    const objects = this.#objects.slice(this.#savedObjects);
    const spilled = this.#spilledSince;
    this.#noteSaved();
    return { spilled, objects, bytes: this.#bytes };
  }

  /** Runs that were made since the state was last saved. */
  newRuns(): readonly SortedRun[] {
    return this.#runs.slice(this.#savedRuns);
  }

  saveRuns(): Promise<RunState[]> {
    return saveAll(this.#runs);
  }

  restore(objects: readonly T[], bytes: number, runs: readonly RunState[]): void {
    this.#objects = [...objects];
    this.#bytes = bytes;
    this.#runs = runs.map((state) => SortedRun.restored(state));
  }

  /** Takes over what `changes` and `newRuns` gave elsewhere. */
  apply({ spilled, objects, bytes }: ObjectSortChanges, runs: readonly RunState[]): void {
    if (spilled) this.#objects = [];
    for (const object of objects) this.#objects.push(object as T);
    this.#bytes = bytes;
    for (const state of runs) this.#runs.push(SortedRun.restored(state));
  }

  async close(): Promise<void> {
    for (const sortedRun of this.#runs) await sortedRun.remove();
    this.#runs = [];
  }

  #noteSaved(): void {
    this.#savedObjects = this.#objects.length;
    this.#savedRuns = this.#runs.length;
    this.#spilledSince = false;
  }

  async #spill(memoryBytes: number, disk: Disk): Promise<void> {
    const objects = sorted(this.#objects, this.#terms);
    const blockObjects = Math.max(
      1,
      Math.floor((objects.length * blockBytesFor(memoryBytes)) / Math.max(1, this.#bytes)),
    );
    this.#objects = [];
    this.#bytes = 0;
    this.#savedObjects = 0;
    this.#spilledSince = true;
    const spilled = await SortedRun.create(disk);
    this.#runs.push(spilled);
    for (let from = 0; from < objects.length; from += blockObjects) {
      await spilled.append(encodeObjects(objects.slice(from, from + blockObjects)));
    }
  }

  async *#merged(memoryBytes: number, disk: Disk): AsyncGenerator<Run<T>, void> {
    if (this.#objects.length > 0) await this.#spill(memoryBytes, disk);
    const width = mergeWidthFor(memoryBytes);
    while (this.#runs.length > width) await this.#mergeFirst(width, disk);
    for await (const objects of this.#merge(this.#runs)) yield run(objects);
    await this.close();
  }

  /** Makes one run of the first `width`, so that the last merge holds few enough blocks. */
  async #mergeFirst(width: number, disk: Disk): Promise<void> {
    const sources = this.#runs.slice(0, width);
    const merged = await SortedRun.create(disk);
    this.#runs.push(merged);
    for await (const objects of this.#merge(sources)) await merged.append(encodeObjects(objects));
    this.#runs.splice(0, width);
    for (const source of sources) await source.remove();
  }

  /** The objects of several runs in order, in pieces about as large as their blocks. */
  async *#merge(runs: readonly SortedRun[]): AsyncGenerator<T[], void> {
    const heap = new CursorHeap<T>();
    for (const source of runs) {
      const cursor = new Cursor<T>(source, this.#terms);
      if (await cursor.refill()) heap.push(cursor);
    }
    let objects: T[] = [];
    for (let cursor = heap.first; cursor !== undefined; cursor = heap.first) {
      objects.push(cursor.take());
      if (!cursor.empty) {
        heap.sink();
        continue;
      }
      const { blockObjects } = cursor;
      if (await cursor.refill()) heap.sink();
      else heap.removeFirst();
      if (objects.length < blockObjects) continue;
      yield objects;
      objects = [];
    }
    if (objects.length > 0) yield objects;
  }
}

/** A place in a run, with the block around it. */
class Cursor<T> {
  readonly #run: SortedRun;
  readonly #terms: readonly OrderTerm<T>[];
  #objects: readonly T[] = [];
  #keys: KeyColumns<T>;
  #at = 0;

  constructor(source: SortedRun, terms: readonly OrderTerm<T>[]) {
    this.#run = source;
    this.#terms = terms;
    this.#keys = new KeyColumns(terms);
  }

  get empty(): boolean {
    return this.#at >= this.#objects.length;
  }

  get blockObjects(): number {
    return this.#objects.length;
  }

  /** Reads the next block. False if there is none. */
  async refill(): Promise<boolean> {
    const payload = await this.#run.next();
    this.#at = 0;
    this.#objects = payload === undefined ? [] : (decodeObjects(payload) as T[]);
    this.#keys = new KeyColumns(this.#terms);
    this.#keys.push(this.#objects);
    return this.#objects.length > 0;
  }

  take(): T {
    const object = this.#objects[this.#at] as T;
    this.#at += 1;
    return object;
  }

  compare(other: Cursor<T>): number {
    return this.#keys.compare(this.#at, other.#keys, other.#at);
  }
}

/** Cursors by their next object: the first is the one to take from. */
class CursorHeap<T> {
  readonly #cursors: Cursor<T>[] = [];

  get first(): Cursor<T> | undefined {
    return this.#cursors[0];
  }

  push(cursor: Cursor<T>): void {
    const cursors = this.#cursors;
    let at = cursors.push(cursor) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = cursors[parent] as Cursor<T>;
      if (above.compare(cursor) <= 0) break;
      cursors[at] = above;
      at = parent;
    }
    cursors[at] = cursor;
  }

  /** Puts the first cursor where it belongs, after its next object changed. */
  sink(): void {
    const cursors = this.#cursors;
    const [cursor] = cursors;
    if (cursor === undefined) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let smaller = cursors[child];
      if (smaller === undefined) break;
      const right = cursors[child + 1];
      if (right !== undefined && right.compare(smaller) < 0) {
        smaller = right;
        child += 1;
      }
      if (cursor.compare(smaller) <= 0) break;
      cursors[at] = smaller;
      at = child;
    }
    cursors[at] = cursor;
  }

  removeFirst(): void {
    const last = this.#cursors.pop();
    if (last === undefined || this.#cursors.length === 0) return;
    this.#cursors[0] = last;
    this.sink();
  }
}
