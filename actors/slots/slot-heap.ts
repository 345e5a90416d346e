import type { ResourceLimits } from "node:worker_threads";

/**
 * Megabytes of one half of a slot's young generation. Objects of a stream die young: with the engine's 16 MB a slot writes
 * round memory that has left the core's caches, and a flow of small objects takes a fifth longer (objects-vs-loop).
 */
const semiSpaceMegabytes = 8;
/** Where tasks are logged, objects live until their task is committed: in a small half most of them would be copied twice. */
const semiSpaceMegabytesLogged = 32;

function semiSpace(logged: boolean): number {
  return logged ? semiSpaceMegabytesLogged : semiSpaceMegabytes;
}

/** The heap of a slot that is a thread. The engine's young generation is three times a half of it. */
export function threadHeap(memoryBytes: number | undefined, logged: boolean): ResourceLimits {
  const young = { maxYoungGenerationSizeMb: 3 * semiSpace(logged) };
  return memoryBytes === undefined ? young : { ...young, maxOldGenerationSizeMb: megabytes(memoryBytes) };
}

/** The heap of a slot that is a process, whose own options in `given` win. */
export function processHeap(memoryBytes: number | undefined, logged: boolean, given: readonly string[]): string[] {
  const young = given.some((option) => option.startsWith("--max-semi-space-size"))
    ? []
    : [`--max-semi-space-size=${semiSpace(logged)}`];
  return memoryBytes === undefined ? young : [...young, `--max-old-space-size=${megabytes(memoryBytes)}`];
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
