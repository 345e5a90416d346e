import type { Consumed } from "../../lib/core/contracts/lineage.ts";
import type { ChannelParts } from "./channel-parts.ts";
import { isMark } from "./mark.ts";
import type { Parcel } from "./parcel.ts";

// A record costs some twenty microseconds, through all hands: what waits already shares it.
const parcelsALoggedTask = 4;

/** How many objects a task takes at most, if so many wait. */
export function objectsOfTask({ limits, lineage }: Pick<ChannelParts, "limits" | "lineage">): number {
  return limits.parcelObjects * (lineage.keeps ? parcelsALoggedTask : 1);
}

/** Parcels in the order in which they came; those before `head` were taken. */
export interface ParcelQueue {
  readonly queue: Parcel[];
  head: number;
}

/**
 * Takes parcels from the front: as many as one task should have.
 *
 * @param endsWithMark - nothing is taken behind the mark of a loop
 */
export function takeParcels(input: ParcelQueue, objectsMax: number, endsWithMark = false): Parcel[] {
  const taken: Parcel[] = [];
  let objects = 0;
  while (input.head < input.queue.length) {
    const parcel = input.queue[input.head] as Parcel;
    if (taken.length > 0 && (parcel.columnar || objects + parcel.rows > objectsMax)) break;
    taken.push(parcel);
    objects += parcel.rows;
    // The slot is emptied at once, so that what was consumed can be collected.
    input.queue[input.head] = undefined as unknown as Parcel;
    input.head++;
    if (parcel.columnar || (endsWithMark && isMark(parcel))) break;
  }
  if (input.head > 1024 || input.head === input.queue.length) {
    input.queue.splice(0, input.head);
    input.head = 0;
  }
  return taken;
}

/**
 * Takes exactly these parcels, in this order, whatever came between them on other links. Nothing is taken, and undefined
 * returned, while the last of them hasn't come.
 */
export function removeExactly(input: ParcelQueue, consumed: readonly Consumed[]): Parcel[] | undefined {
  const waiting = input.queue.slice(input.head);
  const chosen = new Set<number>();
  const taken: Parcel[] = [];
  for (const { from, firstSeq, lastSeq } of consumed) {
    let complete = false;
    for (let at = 0; at < waiting.length && !complete; at++) {
      const parcel = waiting[at] as Parcel;
      if (parcel.from !== from || parcel.seq < firstSeq || chosen.has(at)) continue;
      if (parcel.seq > lastSeq) break;
      chosen.add(at);
      taken.push(parcel);
      complete = parcel.seq === lastSeq;
    }
    if (!complete) return undefined;
  }
  input.queue.length = 0;
  input.head = 0;
  waiting.forEach((parcel, at) => {
    if (!chosen.has(at)) input.queue.push(parcel);
  });
  return taken;
}
