import { keyedRandom, type Random } from "../../core/seam/random.ts";
import type { Deals } from "./deal-units.ts";
import type { PlannedOrder, PlannedStep, Unit } from "./units.ts";

/** What orders differ in. `together`: in all of it. */
export type Variation =
  | "repeat"
  | "restart"
  | "channel turns"
  | "interleaving"
  | "arrival"
  | "batching"
  | "time"
  | "channels"
  | "partitioning"
  | "together";

/** What one order is drawn from: a seed for each part of it. 0 is the plainest. */
export interface Draw {
  readonly channels: number;
  readonly partitioning: number;
  readonly arrival: number;
  readonly batching: number;
  readonly interleaving: number;
  readonly turns: number;
  readonly time: number;
  readonly restarts: number;
  readonly outside: number;
}

export interface DrawParts {
  readonly units: readonly Unit[];
  readonly inputs: readonly string[];
  readonly deals: Deals;
  /** Inputs whose objects keep their order. */
  readonly ordered: readonly string[];
  /** Whether its operator tells what has changed in its state. */
  readonly tellsChanges: boolean;
}

type Take = PlannedStep & { readonly kind: "take" };

// Numbers that keep the parts of a draw apart.
const ofArrival = 1;
const ofBatching = 2;
const ofInterleaving = 3;
const ofTurns = 4;
const ofTime = 5;
const ofRestarts = 6;
const ofEnds = 7;

const takeUnitsMax = 5;
const restartShare = 0.3;
const gapMsMax = 50;
const startMsMax = 1_000_000;

/** Makes the order that a draw stands for. */
export function drawnOrder(parts: DrawParts, draw: Draw): PlannedOrder {
  const { inputs } = parts;
  const arrived = inputs.map((input, index) => arrivedUnits(parts, draw, input, index));
  const dealt = inputs.map((input, index) => parts.deals.deal(input, arrived[index] ?? [], draw));
  const channels = Array.from({ length: draw.channels }, (_, channel) => {
    const takes = inputs.map((input, index) => {
      const random = keyedRandom(draw.batching, ofBatching, channel, index);
      return cut(dealt[index]?.[channel] ?? [], draw.batching === 0 ? undefined : random).map((units): Take => ({
        kind: "take",
        input,
        channel,
        units,
        afterMs: 0,
      }));
    });
    if (draw.interleaving === 0) return takes.flat();
    const merged = merge(takes, keyedRandom(draw.interleaving, ofInterleaving, channel));
    return withEnds(merged, keyedRandom(draw.interleaving, ofEnds, channel));
  });
  const turns = draw.turns === 0 ? channels.flat() : merge(channels, keyedRandom(draw.turns, ofTurns));
  const random = keyedRandom(draw.time, ofTime);
  const startMs = draw.time === 0 ? 0 : Math.floor(random() * startMsMax);
  const timed = draw.time === 0 ? turns : turns.map((step) => withTime(step, random));
  const steps = draw.restarts === 0 ? timed : withRestarts(timed, parts, keyedRandom(draw.restarts, ofRestarts));
  return { channels: draw.channels, inputs, startMs, outsideSeed: draw.outside, steps };
}

function arrivedUnits({ units, ordered }: DrawParts, draw: Draw, input: string, index: number): readonly Unit[] {
  const own = units.filter((unit) => unit.input === input);
  if (draw.arrival === 0 || ordered.includes(input)) return own;
  return shuffled(own, keyedRandom(draw.arrival, ofArrival, index));
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}

/** Cuts units into tasks: one of all without randomness. */
function cut(units: readonly Unit[], random: Random | undefined): readonly (readonly Unit[])[] {
  if (random === undefined) return units.length === 0 ? [] : [units];
  const cuts: (readonly Unit[])[] = [];
  for (let from = 0; from < units.length;) {
    const to = from + 1 + Math.floor(random() * takeUnitsMax);
    cuts.push(units.slice(from, to));
    from = to;
  }
  return cuts;
}

/** Any merge of lists that keeps the order in each. */
function merge<T>(lists: readonly (readonly T[])[], random: Random): T[] {
  const left = lists.filter((list) => list.length > 0).map((list) => ({ list, at: 0 }));
  const merged: T[] = [];
  while (left.length > 0) {
    const which = Math.floor(random() * left.length);
    const one = left[which] as { readonly list: readonly T[]; at: number };
    merged.push(one.list[one.at++] as T);
    if (one.at === one.list.length) left.splice(which, 1);
  }
  return merged;
}

/** Some inputs end as soon as nothing is left of them, the others behind all. */
function withEnds(steps: readonly Take[], random: Random): readonly PlannedStep[] {
  return steps.flatMap((step, index): readonly PlannedStep[] => {
    const isLast = !steps.slice(index + 1).some(({ input }) => input === step.input);
    const { channel, input } = step;
    return isLast && random() < 0.5 ? [step, { kind: "end", input, channel }] : [step];
  });
}

function withTime(step: PlannedStep, random: Random): PlannedStep {
  return step.kind === "take" ? { ...step, afterMs: Math.floor(random() * gapMsMax) } : step;
}

function withRestarts(steps: readonly PlannedStep[], { tellsChanges }: DrawParts, random: Random): PlannedStep[] {
  // At least one, wherever.
  const certain = Math.floor(random() * steps.length);
  return steps.flatMap((step, index): readonly PlannedStep[] => {
    const channel = step.channel ?? 0;
    const drawn = random();
    if (index === certain || drawn < restartShare) return [step, { kind: "restart", channel }];
    return tellsChanges && drawn < 2 * restartShare ? [step, { kind: "save", channel }] : [step];
  });
}
