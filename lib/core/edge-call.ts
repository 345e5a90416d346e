import type { EdgeFunction } from "./program.ts";

type Called = Pick<EdgeFunction, "id" | "kind">;

// One for each thread: functions on edges are synchronous, so that no two of them run at once.
let running: Called | undefined;

/** The function on an edge whose code runs now; undefined while none does. */
export function runningOnEdge(): Called | undefined {
  return running;
}

/** Calls what runs a function on an edge. */
export function callOnEdge<R>(step: Called, call: () => R): R {
  const before = running;
  running = step;
  try {
    return call();
  } finally {
    running = before;
  }
}
