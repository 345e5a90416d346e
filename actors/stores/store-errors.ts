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

/** What is written stands on tasks that had been committed, and aren't there. */
export function notCommitted(channel: number, lastSeq: number): QStreamError {
  return new QStreamError(
    "LINEAGE_REGRESSED",
    `the log of channel ${channel} of the execution ends at task ${lastSeq}, though later ones had been committed`,
    {
      advice:
        "The store lost what it had confirmed, as after a restart without persistence: see docs/lineage-stores.md",
    },
  );
}

export function noSuchChannel(execution: string, channel: number): QStreamError {
  return new QStreamError(
    "INTERNAL",
    `QStream broke an invariant of its own: execution ${execution} has no channel ${channel}`,
    { advice: "This is a defect of QStream: please report it with the flow that showed it" },
  );
}

export function sameBytes(first: Uint8Array, second: Uint8Array): boolean {
  return Buffer.compare(first, second) === 0;
}

/** What is written of an actor stands on transitions that had been confirmed, and aren't there. */
export function transitionsMissing(actor: string, lastSeq: number): QStreamError {
  return new QStreamError(
    "LINEAGE_REGRESSED",
    `the log of ${actor} ends at transition ${lastSeq}, though later ones had been confirmed`,
    {
      advice:
        "The store lost what it had confirmed, as after a restart without persistence: see docs/lineage-stores.md",
    },
  );
}
