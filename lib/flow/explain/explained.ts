import type { Plan, PlannedEdge, PlannedStep } from "../../core/plan.ts";
import type { SlotPlace } from "../../core/placement-strategy.ts";

/** A plan with what a drawing of it shows beside. */
export interface Explained {
  readonly plan: Plan;
  /** Slot of each channel, by step; empty where only running tells. */
  readonly placement: readonly (readonly string[])[];
  readonly representations: readonly (readonly string[])[];
  readonly slots: readonly SlotPlace[];
  /** Of a cluster: why the channels of each step are where they are, and what is on which machine. */
  readonly cluster: { readonly why: readonly string[]; readonly machines: readonly ExplainedSlots[] } | undefined;
}

/** A machine, and the channels of its slots. */
export interface ExplainedSlots {
  readonly id: string;
  readonly tags: readonly string[];
  readonly slots: readonly { readonly id: string; readonly channels: readonly string[] }[];
}

const shownMost = 4;

/** `2 channels on slot-0, slot-1`, shortened where there are many; on a cluster by machine. */
export function describeChannels({ plan, placement, slots, cluster }: Explained, index: number): string {
  const step = plan.steps[index];
  const own = placement[index] ?? [];
  const count = `${step?.channels} ${step?.channels === 1 ? "channel" : "channels"}`;
  if (own.length === 0) return `${count} with the data`;
  const machineOf = new Map(slots.map(({ id, machine }) => [id, machine]));
  const counts = new Map<string, number>();
  for (const slot of own) {
    const place = cluster === undefined ? slot : (machineOf.get(slot) ?? slot);
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const places = [...counts].map(([place, channels]) => {
    return cluster === undefined || counts.size === 1 ? place : `${place} (${channels})`;
  });
  const shown =
    places.length > shownMost
      ? `${places.slice(0, shownMost - 1).join(", ")} and ${places.length - shownMost + 1} more`
      : places.join(", ");
  return `${count} on ${shown}`;
}

/** What is on which machine, by slot: `count 0`, `count 4`. */
export function channelsByMachine(
  plan: Plan,
  placement: readonly (readonly string[])[],
  slots: readonly SlotPlace[],
): ExplainedSlots[] {
  const channels = new Map<string, string[]>(slots.map(({ id }) => [id, []]));
  placement.forEach((own, step) => {
    own.forEach((slot, channel) => channels.get(slot)?.push(`${plan.steps[step]?.id} ${channel}`));
  });
  const machines = new Map<string, { readonly tags: readonly string[]; readonly slots: string[] }>();
  for (const { id, machine, tags } of slots) {
    const known = machines.get(machine) ?? { tags, slots: [] };
    known.slots.push(id);
    machines.set(machine, known);
  }
  return [...machines].map(([id, machine]) => ({
    id,
    tags: machine.tags,
    slots: machine.slots.map((slot) => ({ id: slot, channels: channels.get(slot) ?? [] })),
  }));
}

/** Channels of a slot in a line, shortened where there are many. */
export function describeSlot(channels: readonly string[]): string {
  if (channels.length === 0) return "nothing";
  const most = 8;
  if (channels.length <= most) return channels.join(", ");
  return `${channels.slice(0, most - 1).join(", ")} and ${channels.length - most + 1} more`;
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
