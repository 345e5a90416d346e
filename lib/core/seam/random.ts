import { randomUUID } from "node:crypto";

/** A seeded generator of numbers in [0, 1). */
export type Random = () => number;

/** Mulberry32 by Tommy Ettinger: 32 bits of state, enough for tests and for spreading, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A generator that no other key gives: 128 bits of state, all of them mixed from all parts of the key, and 53 bits a number. Keys
 * that differ in length or order are different ones. SFC32 by Chris Doty-Humphrey.
 *
 * @param key - whole numbers of up to 53 bits and a sign
 */
export function keyedRandom(...key: readonly number[]): Random {
  let a = mixed(0x243f6a88, key);
  let b = mixed(0x85a308d3, key);
  let c = mixed(0x13198a2e, key);
  let counter = mixed(0x03707344, key);
  const next = (): number => {
    const drawn = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  };
  return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
}

/** A seed of 32 bits for a part of what has a seed itself: no two parts of the same have the same. */
export function seedOf(seed: number, part: number): number {
  return mixed(seed >>> 0, [Math.floor(seed / 4294967296), part]);
}

/** Murmur3 of numbers, by Austin Appleby: 32 bits, every one of which depends on all of the key. */
function mixed(start: number, key: readonly number[]): number {
  let hash = start;
  for (const number of key) {
    hash = withWord(hash, Math.floor(number / 4294967296));
    hash = withWord(hash, number);
  }
  hash ^= key.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function withWord(hash: number, word: number): number {
  const spread = Math.imul(word, 0xcc9e2d51);
  const met = hash ^ Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
  return (Math.imul((met << 13) | (met >>> 19), 5) + 0xe6546b64) | 0;
}

/** A fresh identifier for an execution, a session or a dataset: short enough to type, random enough not to meet again. */
export function freshId(prefix: string): string {
  return `${prefix}-${randomUUID().replaceAll("-", "").slice(0, 12)}`;
}
