import { loadedBatches, representationOf } from "../../lib/core/batch/index.ts";
import { decodeObjects } from "../../lib/core/codec/index.ts";
import type { Cause, Consumed } from "../../lib/core/contracts/lineage.ts";
import type { Parcel } from "./parcel.ts";

/** A task that was begun: why, and what it consumed. */
export interface RunningTask {
  readonly cause: Cause;
  readonly input: number | undefined;
  readonly parcels: readonly Parcel[];
  /** What a source gave that can't be asked again. */
  readonly content?: Uint8Array | undefined;
}

export const noParcels: readonly Parcel[] = [];

/** True if batches come for the first time in this slot, so that support for them must be loaded. */
export function needsBatches(parcels: readonly Parcel[]): boolean {
  return loadedBatches() === undefined && parcels.some((parcel) => parcel.columnar);
}

/** True if objects are columnar batches. */
export function holdsBatch(objects: readonly unknown[]): boolean {
  return representationOf(objects[0]) !== undefined;
}

/** The objects of a task's parcels: decoded only now, since what waits is kept encoded. */
export function decodeParcels(parcels: readonly Parcel[]): readonly unknown[] {
  const first = parcels[0] as Parcel;
  if (parcels.length === 1) return objectsOf(first);
  return joined(parcels.map(objectsOf));
}

/**
 * The objects of several parcels, one by one: once Arrow is loaded, whose vectors can be spread by `concat`, the engine's own
 * makes a hash table of its result, and each element of it costs a hundred times as much.
 */
function joined(lists: readonly (readonly unknown[])[]): readonly unknown[] {
  let length = 0;
  for (const list of lists) length += list.length;
  const objects = new Array<unknown>(length);
  let at = 0;
  for (const list of lists) for (const object of list) objects[at++] = object;
  return objects;
}

function objectsOf({ content }: Parcel): readonly unknown[] {
  if ("objects" in content) return content.objects;
  if (content.payload.format === "batch") return [loadedBatches()?.decode(content.payload)];
  return decodeObjects(content.payload);
}

/** What a task consumed, in its order: runs of parcels of one link each. */
export function consumedOf(edge: number, parcels: readonly Parcel[]): Consumed[] {
  const runs: { edge: number; from: number; firstSeq: number; lastSeq: number }[] = [];
  for (const { from, seq } of parcels) {
    const run = runs.at(-1);
    if (run?.from === from) run.lastSeq = seq;
    else runs.push({ edge, from, firstSeq: seq, lastSeq: seq });
  }
  return runs;
}

/** How many objects parcels have: of columnar batches their rows. */
export function objectsIn(parcels: readonly Parcel[]): number {
  let objects = 0;
  for (const { rows } of parcels) objects += rows;
  return objects;
}
