import { estimateBytes } from "../lib/core/codec/index.ts";

/** Objects of one task that are looked at; the others count as these. */
const samples = 16;

/** Estimated bytes of objects, from a few of them: what is kept is counted without reading all of it. */
export function sampledBytes(objects: readonly unknown[]): number {
  const { length } = objects;
  const step = Math.max(1, Math.floor(length / samples));
  let bytes = 0;
  let seen = 0;
  for (let index = 0; index < length; index += step) {
    bytes += 8 + estimateBytes(objects[index]);
    seen += 1;
  }
  return seen === 0 ? 0 : Math.ceil((bytes / seen) * length);
}

/** The bytes of a part of what is kept. */
export function shareOf(bytes: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Math.ceil((bytes * part) / whole);
}
