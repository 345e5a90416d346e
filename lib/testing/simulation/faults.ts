import { seededRandom, type Random } from "../../core/seam/random.ts";

/** What can go wrong in a simulated world. */
export type FaultKind =
  /** Everything is killed: all slots, the scheduler, the lineage actor. Somebody goes on with the execution a little later. */
  | "restart"
  /**
   * The user stops the execution, as Ctrl-C does, and goes on with it a little later: in another process, which may be killed while it
   * stops, or in the same session.
   */
  | "stop"
  /** A slot is killed. */
  | "kill"
  /** All slots of a machine are killed. */
  | "kill-machine"
  /** User code doesn't come back from a task: its slot is given up, and that counts as a failure of the task. */
  | "hang"
  /** A slot stands still, for less than its lease. */
  | "pause"
  /** A slot stands still or is cut off for longer than its lease: it is given up while it lives, and goes on later. */
  | "lapse"
  /** Messages take many times as long for a while. */
  | "delay"
  /** Two slots, or a slot and the client, don't reach each other for less than the lease. */
  | "partition"
  /** A link is dropped, with the messages that are in flight. */
  | "drop"
  /** Parcels arrive once more. */
  | "duplicate"
  | "disk-slow"
  | "disk-full"
  | "disk-broken"
  /** The next parcel that is read from a spool has a wrong byte, or lacks some. */
  | "disk-damaged"
  /** The place of large checkpoints is slow for a while. Seeds with this fault, or the next, have such a place. */
  | "blobs-slow"
  /** The place of large checkpoints can't be reached for a while. */
  | "blobs-away"
  /** Calls of the store time out; they may have been done. */
  | "store-timeout"
  /** The store can't be reached for a while. */
  | "store-away"
  /** The store is again what it was some milliseconds ago. */
  | "store-forgets"
  /** The newest checkpoint of a channel can't be read any more. */
  | "checkpoint-damaged"
  /** The wall clock of a slot jumps, forward or back. */
  | "clock-jump"
  /** Somebody asks for the load of the slots to be made even; now and then when another slot has just come. */
  | "rebalance";

export const faultKinds: readonly FaultKind[] = [
  "restart",
  "stop",
  "kill",
  "kill-machine",
  "hang",
  "pause",
  "lapse",
  "delay",
  "partition",
  "drop",
  "duplicate",
  "disk-slow",
  "disk-full",
  "disk-broken",
  "disk-damaged",
  "blobs-slow",
  "blobs-away",
  "store-timeout",
  "store-away",
  "store-forgets",
  "checkpoint-damaged",
  "clock-jump",
  "rebalance",
];

/** Faults that nothing has to be made again for: an execution without a store survives them too. */
export const passingFaults: readonly FaultKind[] = ["pause", "delay", "partition", "disk-slow", "clock-jump"];

/** Where an execution is when a fault strikes, as far as it shows between slots, scheduler and store. */
export type Phase =
  /** A slot is told to prepare. */
  | "preparing"
  /** Tasks ran, and their records are about to leave their slot. */
  | "before-commit"
  /** The store is about to write records. */
  | "committing"
  /** Records are durable, and their slot is about to hear of it: nothing was pushed yet. */
  | "before-push"
  /** A checkpoint is about to be saved. */
  | "checkpointing"
  /** Lost channels are about to live again. */
  | "recovering"
  /** The store is about to free what nobody needs any more. */
  | "freeing"
  /** Channels are done. */
  | "ending"
  /** Sinks are told to make visible what they wrote. */
  | "finishing";

export const phases: readonly Phase[] = [
  "preparing",
  "before-commit",
  "committing",
  "before-push",
  "checkpointing",
  "recovering",
  "freeing",
  "ending",
  "finishing",
];

/** When a fault strikes: at a time, or when an execution comes to a phase for the nth time. */
export type Trigger =
  | { readonly kind: "at"; readonly ms: number }
  | { readonly kind: "phase"; readonly phase: Phase; readonly nth: number };

/** One fault, drawn from a seed. */
export interface Fault {
  readonly kind: FaultKind;
  readonly trigger: Trigger;
  /** Chooses the target among those there are then: from 0 to below 1. */
  readonly target: number;
  /** How much or how long, from 0 to below 1 of what the kind can be. */
  readonly amount: number;
}

/**
 * Faults that an execution with a store survives with the same result: all but a store that forgets, drives that refuse, and
 * tasks that may hang as often as they are tried.
 */
export const survivableFaults: readonly FaultKind[] = faultKinds.filter(
  (kind) => kind !== "store-forgets" && kind !== "disk-full" && kind !== "disk-broken" && kind !== "hang",
);

export interface FaultOptions {
  readonly kinds: readonly FaultKind[];
  /** Virtual milliseconds after which no fault strikes any more, and what can be healed is. */
  readonly withinMs: number;
  /** Faults at most; at least one. */
  readonly countMax?: number;
}

const countMaxDefault = 4;
const nthMax = 12;
// Faults that strike at a phase rather than at a time.
const phaseShare = 0.5;

/** The faults of a seed. */
export function drawFaults(seed: number, options: FaultOptions): readonly Fault[] {
  const { kinds, withinMs, countMax = countMaxDefault } = options;
  if (kinds.length === 0) return [];
  const random = seededRandom(seed);
  const count = 1 + Math.floor(random() * countMax);
  return Array.from({ length: count }, () => ({
    kind: pick(kinds, random()),
    trigger: drawTrigger(random, withinMs),
    target: random(),
    amount: random(),
  }));
}

function drawTrigger(random: Random, withinMs: number): Trigger {
  if (random() >= phaseShare) return { kind: "at", ms: random() * withinMs };
  return { kind: "phase", phase: pick(phases, random()), nth: 1 + Math.floor(random() ** 2 * nthMax) };
}

/** One of several, by a number from 0 to below 1. */
export function pick<T>(of: readonly T[], at: number): T {
  const chosen = of[Math.min(of.length - 1, Math.floor(at * of.length))];
  if (chosen === undefined) throw new RangeError("there is nothing to pick from");
  return chosen;
}
