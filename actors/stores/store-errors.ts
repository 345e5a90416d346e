import { QStreamError } from "../../lib/core/errors.ts";

/** The errors that every store gives. */
export function executionUnknown(execution: string): QStreamError {
  return new QStreamError("EXECUTION_UNKNOWN", `the store has no execution ${execution}`, {
    advice: "It is done, or was removed; qstream executions lists those that are there",
  });
}

export function executionExists(execution: string): QStreamError {
  return new QStreamError("EXECUTION_EXISTS", `the store has another execution ${execution}`, {
    advice: "Ids of executions are drawn by chance: start again",
  });
}

/** A defect of the caller: it writes what doesn't stand on what is there. */
export function notCommitted(channel: number, lastSeq: number): QStreamError {
  return defect(`channel ${channel} writes what stands on tasks that aren't committed: its last is ${lastSeq}`);
}

export function noSuchChannel(execution: string, channel: number): QStreamError {
  return defect(`execution ${execution} has no channel ${channel}`);
}

export function sameBytes(first: Uint8Array, second: Uint8Array): boolean {
  return Buffer.compare(first, second) === 0;
}

function defect(what: string): QStreamError {
  return new QStreamError("INTERNAL", `QStream broke an invariant of its own: ${what}`, {
    advice: "This is a defect of QStream: please report it with the flow that showed it",
  });
}
