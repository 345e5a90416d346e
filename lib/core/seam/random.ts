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

/** A fresh identifier for an execution, a session or a dataset: short enough to type, random enough not to meet again. */
export function freshId(prefix: string): string {
  return `${prefix}-${randomUUID().replaceAll("-", "").slice(0, 12)}`;
}
