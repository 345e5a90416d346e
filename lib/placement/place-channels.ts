import { QStreamError } from "../core/errors.ts";
import type { PlannedStep } from "../core/plan.ts";
import type { PlacementStrategy, SlotPlace } from "../core/placement-strategy.ts";

/** How many channels a strategy asks for on given slots. Undefined where it leaves the number open. */
export function channelsOf(strategy: PlacementStrategy, slots: readonly SlotPlace[]): number | undefined {
  switch (strategy.kind) {
    case "single":
    case "client":
      return 1;
    case "per-slot":
      return strategy.channels * slots.length;
    case "per-machine":
      return strategy.channels * new Set(slots.map((slot) => slot.machine)).size;
    case "tagged":
      return strategy.channels * slots.filter((slot) => slot.tags.includes(strategy.tag)).length;
    case "spread":
    case "with-step":
      return strategy.channels;
    case "with-data":
      return undefined;
  }
}

/** Where the channels of steps may go: the slots, the client's own, and what was placed before. */
export interface Places {
  readonly slots: readonly SlotPlace[];
  readonly client: string;
  /** Slots of the channels of the steps before this one, by the plan's index. */
  readonly placed: readonly (readonly string[])[];
  /** Steps of one channel are spread over the slots by their turn, so that they don't all meet on the first. */
  readonly turn: number;
}

/** Places the channels of a step: the id of a slot for each channel, in channel order. */
export function placeChannels(step: PlannedStep, { slots, client, placed, turn }: Places): string[] {
  const { placement, channels } = step;
  switch (placement.kind) {
    case "client":
      return new Array<string>(channels).fill(client);
    case "with-data":
      return placeWithData(step, slots);
    case "with-step":
      return [...(placed[placement.step] ?? [])];
    case "tagged": {
      const fitting = slots.filter((slot) => slot.tags.includes(placement.tag));
      if (fitting.length === 0) throw noTag(step.id, placement.tag, slots);
      return deal(channels, fitting, 0);
    }
    case "per-machine":
      return placePerMachine(channels, slots, placement.channels);
    case "single":
      return deal(channels, slots, turn);
    case "per-slot":
    case "spread":
      return deal(channels, slots, 0);
  }
}

function deal(channels: number, slots: readonly SlotPlace[], from: number): string[] {
  return Array.from({ length: channels }, (_, channel) => slots[(from + channel) % slots.length]?.id ?? "");
}

function placePerMachine(channels: number, slots: readonly SlotPlace[], perMachine: number): string[] {
  const machines = [...new Set(slots.map((slot) => slot.machine))];
  return Array.from({ length: channels }, (_, channel) => {
    const machine = machines[Math.floor(channel / perMachine) % machines.length];
    const own = slots.filter((slot) => slot.machine === machine);
    return own[(channel % perMachine) % own.length]?.id ?? "";
  });
}

function placeWithData(step: PlannedStep, slots: readonly SlotPlace[]): string[] {
  return (step.slots ?? []).map((wanted) => {
    if (slots.some((slot) => slot.id === wanted)) return wanted;
    throw new QStreamError(
      "PLACEMENT_IMPOSSIBLE",
      `the data that step "${step.id}" reads is on ${wanted}, which this session doesn't have`,
      {
        advice: "Run the flow on the session that made the dataset: flow.run(args, { on: session })",
      },
    );
  });
}

function noTag(step: string, tag: string, slots: readonly SlotPlace[]): QStreamError {
  const known = [...new Set(slots.flatMap((slot) => slot.tags))];
  return new QStreamError("PLACEMENT_IMPOSSIBLE", `no machine has the tag "${tag}", which step "${step}" asks for`, {
    advice: `Tags there are: ${known.length === 0 ? "none" : known.join(", ")}. Give tags to the session: local({ tags: ["${tag}"] })`,
  });
}
