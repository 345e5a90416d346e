import type { ActorSystem } from "qstream";

/** What a program takes of a system of actors, wherever these run. */
export type Actors = Pick<ActorSystem, "spawn">;

/** One program of the suite: by actors, and by plain code that says what is right. */
export interface Program<Size = unknown, Result = unknown> {
  readonly name: string;
  readonly run: (system: Actors, size: Size) => Promise<Result>;
  readonly plain: (size: Size) => Result;
  /** For specs. */
  readonly small: Size;
  /** For benchmarks. */
  readonly large: Size;
}

/** A whole run is one question. */
export const wholeRun = { timeoutMs: 300_000 };

/** A number of 31 bits that is mixed from two, for values that look random and are the same in every run. */
export function mixed(left: number, right: number): number {
  let hash = Math.imul(left + 1, 0x9e3779b1) ^ Math.imul(right + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 1;
}
