import type { Plan, PlannedEdge, PlannedStep } from "../../core/plan.ts";

/** A plan with what a drawing of it shows beside. */
export interface Explained {
  readonly plan: Plan;
  /** Slot of each channel, by step; empty where only running tells. */
  readonly placement: readonly (readonly string[])[];
  readonly representations: readonly (readonly string[])[];
  readonly slots: number;
}

/** `2 channels on slot-0, slot-1`, shortened where there are many. */
export function describeChannels(step: PlannedStep, slots: readonly string[]): string {
  const count = `${step.channels} ${step.channels === 1 ? "channel" : "channels"}`;
  if (slots.length === 0) return `${count} with the data`;
  const distinct = [...new Set(slots)];
  const shown =
    distinct.length > 4 ? `${distinct.slice(0, 3).join(", ")} and ${distinct.length - 3} more` : distinct.join(", ");
  return `${count} on ${shown}`;
}

/** What a step declares of itself: confluence for operators, the guarantee for sinks. */
export function describeDeclares(step: PlannedStep): string {
  if (step.kind === "operator") return (step.declares ?? "order-sensitive").replaceAll("-", " ");
  if (step.kind === "sink") return step.guarantee ?? "";
  return step.endless ? "endless" : "";
}

/** What an edge does: functions, partition function, functions in the consumer, whether it may spool. */
export function describeEdge(edge: PlannedEdge): string {
  const port = edge.port === "out" ? "" : `[${edge.port}] `;
  const parts = [...edge.before, edge.partition.label, ...edge.after.map((id) => `${id} (in the consumer)`)];
  return `${port}${parts.join(" > ")}${edge.spools ? ", may spool to disk" : ""}`;
}

/** Stage of an edge's input. */
export function stageOf(plan: Plan, index: number): number {
  const edge = plan.edges[index];
  return plan.steps[edge?.to ?? -1]?.inputs.find((input) => input.edge === index)?.stage ?? 0;
}

/** True if the inputs of a step have different stages, so that they are worth showing. */
export function isStaged(step: PlannedStep): boolean {
  return new Set(step.inputs.map((input) => input.stage)).size > 1;
}
