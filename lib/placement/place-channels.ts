import { QStreamError } from "../core/errors.ts";
import type { PlannedStep } from "../core/plan.ts";
import type { Needs, PlacementStrategy, SlotPlace } from "../core/placement-strategy.ts";
import { count, isOrAre, missingPlace, type MissingPlace } from "./missing.ts";
import { nearnessOf } from "./nearness.ts";

/** How many channels a strategy asks for on given slots. Undefined where it leaves the number open. */
export function channelsOf(strategy: PlacementStrategy, slots: readonly SlotPlace[]): number | undefined {
  switch (strategy.kind) {
    case "single":
    case "client":
      return 1;
    case "per-slot":
    case "near-files":
      return strategy.channels * slots.length;
    case "per-machine":
      return strategy.channels * machinesOf(slots).length;
    case "tagged":
      return strategy.channels * withTag(strategy.tag, slots).length;
    case "apart":
      if (strategy.channels > 0) return strategy.channels;
      // How many are left over by the other steps isn't known yet: one keeps the flow running.
      if (strategy.from.length > 0) return 1;
      return strategy.by === "slot" ? slots.length : machinesOf(slots).length;
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
  /** For steps that are kept apart from others: the index of a step by its id. */
  readonly stepOf?: (id: string) => number;
}

/**
 * Places the channels of a step: the id of a slot for each channel, in channel order.
 *
 * @throws QStreamError PLACEMENT_IMPOSSIBLE which says what is missing, and for how long one may wait for it
 */
export function placeChannels(step: PlannedStep, places: Places): string[] {
  const { placement, channels } = step;
  const { slots, client, placed, turn } = places;
  switch (placement.kind) {
    case "client":
      return new Array<string>(channels).fill(client);
    case "with-data":
      return placeWithData(step, slots);
    case "with-step":
      return [...(placed[placement.step] ?? [])];
    case "near-files":
      return placeNear(step, slots);
    case "single":
      return deal(channels, slots, turn);
    case "per-slot":
    case "spread":
      return deal(channels, slots, 0);
    case "tagged":
    case "per-machine":
    case "apart":
      return dealTo(channels, placesFor(step, places), placement);
  }
}

/**
 * The slots that a strategy leaves to a step, wherever its other channels are.
 *
 * @throws QStreamError PLACEMENT_IMPOSSIBLE where there are too few of them
 */
export function placesFor(step: PlannedStep, places: Omit<Places, "turn">): readonly SlotPlace[] {
  const { placement, id } = step;
  const { slots } = places;
  switch (placement.kind) {
    case "tagged": {
      const fitting = withTag(placement.tag, slots);
      const there = machinesOf(fitting).length;
      const wanted = wantedMachines(placement, there, `with the tag "${placement.tag}"`);
      if (wanted !== undefined) throw missingPlace(id, placement, wanted, slots);
      return fitting;
    }
    case "per-machine": {
      const wanted = wantedMachines(placement, machinesOf(slots).length, "");
      if (wanted !== undefined) throw missingPlace(id, placement, wanted, slots);
      return slots;
    }
    case "apart":
      return placesApart(step, placement, places);
    default:
      return slots;
  }
}

/** The error of a strategy for which there are no slots at all. */
export function nothingFits(step: string, placement: PlacementStrategy, slots: readonly SlotPlace[]): MissingPlace {
  const which = placement.kind === "tagged" ? `with the tag "${placement.tag}"` : "";
  const { machines } = placement as Needs;
  return missingPlace(step, placement, wantedMachines({ machines: machines ?? 1 }, 0, which) ?? "a slot", slots);
}

/** What is missing for there to be enough machines, in words. */
function wantedMachines({ machines = 1 }: Needs, there: number, which: string): string | undefined {
  if (there >= machines) return undefined;
  const what = `${count(machines, "machine")}${which === "" ? "" : ` ${which}`}`;
  return there === 0 ? what : `${what} (there ${isOrAre(there)} ${there})`;
}

function placesApart(
  { id, channels }: PlannedStep,
  placement: Extract<PlacementStrategy, { kind: "apart" }>,
  { slots, placed, stepOf }: Omit<Places, "turn">,
): readonly SlotPlace[] {
  const { from, by } = placement;
  const place = (slot: SlotPlace): string => (by === "slot" ? slot.id : slot.machine);
  if (from.length === 0) {
    const there = new Set(slots.map(place)).size;
    if (there >= channels) return slots;
    const wanted = `${count(channels, by)}, one for each channel (there ${isOrAre(there)} ${there})`;
    throw missingPlace(id, placement, wanted, slots);
  }
  const others = new Set(from.flatMap((other) => placed[stepOf?.(other) ?? -1] ?? []));
  const taken = new Set(slots.filter((slot) => others.has(slot.id)).map(place));
  const free = slots.filter((slot) => !taken.has(place(slot)));
  if (free.length > 0) return free;
  const names = from.map((other) => `"${other}"`).join(", ");
  throw missingPlace(id, placement, `a ${by} without channels of ${names}`, slots);
}

/** Deals channels to slots that may have them: by machine, where the strategy counts machines. */
function dealTo(channels: number, slots: readonly SlotPlace[], strategy: PlacementStrategy): string[] {
  if (strategy.kind === "per-machine") return placePerMachine(channels, slots, strategy.channels);
  if (strategy.kind === "apart" && strategy.by === "machine") return placePerMachine(channels, slots, 1);
  return deal(channels, slots, 0);
}

function deal(channels: number, slots: readonly SlotPlace[], from: number): string[] {
  return Array.from({ length: channels }, (_, channel) => slots[(from + channel) % slots.length]?.id ?? "");
}

function placePerMachine(channels: number, slots: readonly SlotPlace[], perMachine: number): string[] {
  const machines = machinesOf(slots);
  const slotsOf = new Map(machines.map((machine) => [machine, slots.filter((slot) => slot.machine === machine)]));
  return Array.from({ length: channels }, (_, channel) => {
    const own = slotsOf.get(machines[Math.floor(channel / perMachine) % machines.length] ?? "") ?? [];
    return own[(channel % perMachine) % own.length]?.id ?? "";
  });
}

function placeWithData(step: PlannedStep, slots: readonly SlotPlace[]): string[] {
  const ids = new Set(slots.map(({ id }) => id));
  return (step.slots ?? []).map((wanted) => {
    if (ids.has(wanted)) return wanted;
    throw new QStreamError(
      "PLACEMENT_IMPOSSIBLE",
      `the data that step "${step.id}" reads is on ${wanted}, which this session doesn't have`,
      {
        advice:
          "Run the flow on the session that made the dataset: flow.run(args, { on: session }); where the machine is gone that had it, make it again",
      },
    );
  });
}

/** Each channel where its splits were dealt to; where that slot is gone, on the nearest of those that are least used. */
function placeNear(step: PlannedStep, slots: readonly SlotPlace[]): string[] {
  const ids = new Set(slots.map(({ id }) => id));
  const used = new Map(slots.map(({ id }) => [id, 0]));
  return Array.from({ length: step.channels }, (_, channel) => {
    const dealt = step.slots?.[channel] ?? "";
    const at = ids.has(dealt) ? dealt : leastUsed(nearestSlots(step, channel, slots), used);
    used.set(at, (used.get(at) ?? 0) + 1);
    return at;
  });
}

/** @throws QStreamError PLACEMENT_IMPOSSIBLE where no machine has its files, and it may not be anywhere */
export function nearestSlots(step: PlannedStep, channel: number, slots: readonly SlotPlace[]): readonly SlotPlace[] {
  const wanted = step.near?.[channel] ?? [];
  if (wanted.length === 0) return slots;
  const scores = slots.map((slot) => nearnessOf(slot, wanted));
  const most = Math.max(0, ...scores);
  const { placement } = step;
  const isBound = placement.kind === "near-files" && (placement.whenMissing ?? "anywhere") !== "anywhere";
  if (isBound && most < wanted.length) {
    throw missingPlace(
      step.id,
      placement,
      `a machine with ${wanted.map((tags) => tags.join(" or ")).join(", ")}`,
      slots,
    );
  }
  return slots.filter((_, index) => scores[index] === most);
}

function leastUsed(slots: readonly SlotPlace[], used: ReadonlyMap<string, number>): string {
  let best: SlotPlace | undefined;
  for (const slot of slots) {
    if (best === undefined || (used.get(slot.id) ?? 0) < (used.get(best.id) ?? 0)) best = slot;
  }
  return best?.id ?? "";
}

function withTag(tag: string, slots: readonly SlotPlace[]): SlotPlace[] {
  return slots.filter((slot) => slot.tags.includes(tag));
}

export function machinesOf(slots: readonly SlotPlace[]): string[] {
  return [...new Set(slots.map((slot) => slot.machine))];
}
