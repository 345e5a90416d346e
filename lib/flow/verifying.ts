import { QStreamError } from "../core/errors.ts";
import type { Graph, StepNode } from "./graph.ts";
import type { RunOptions } from "./run.ts";

const shareDefault = 0.05;

/** The share of tasks that an option asks for; undefined for none. */
export function shareOf(verifyReplay: RunOptions["verifyReplay"]): number | undefined {
  if (verifyReplay === undefined || verifyReplay === false) return undefined;
  return verifyReplay === true ? shareDefault : verifyReplay.share;
}

/**
 * Refuses what is no part of all tasks.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function checkVerifyReplay(verifyReplay: unknown): void {
  if (verifyReplay === undefined || typeof verifyReplay === "boolean") return;
  const share = (verifyReplay as { readonly share?: unknown } | null)?.share;
  if (typeof share === "number" && share > 0 && share <= 1) return;
  throw new QStreamError(
    "OPTION_INVALID",
    "verifyReplay is not true, false or { share }, a number above 0 and up to 1",
  );
}

/** Steps whose tasks can't be run twice, and why. */
export function unverifiedSteps(graph: Graph): { readonly step: string; readonly why: string }[] {
  return graph.steps.flatMap((step) => {
    const why = reasonOf(step);
    return why === undefined ? [] : { step: step.id, why };
  });
}

function reasonOf({ code }: StepNode): string | undefined {
  switch (code.kind) {
    case "reader":
      return code.reader.replayable === false ? "its source can't be read again" : undefined;
    case "operator": {
      if (code.loop !== undefined) return "what a loop takes depends on what all its channels gave";
      const { snapshot, restore } = code.create();
      return snapshot === undefined || restore === undefined ? "its operator has no snapshot and restore" : undefined;
    }
    case "sink":
      return "a sink would write twice";
    case "actors":
      return "actors do nothing again";
  }
}
