import type { RunStepKind } from "../trace.ts";

/** What a line is after a step that begins or ends its life; of other steps there is nothing. */
export const lifeAfter: Partial<Record<RunStepKind, "alive" | "crashed" | "stopped">> = {
  start: "alive",
  restart: "alive",
  crash: "crashed",
  stop: "stopped",
};
