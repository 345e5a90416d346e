import type { CheckpointHead, CheckpointPositions } from "../../lib/core/contracts/lineage.ts";
import { feedbackEdgeOf, type Plan } from "../../lib/core/plan.ts";
import { positionOf } from "./checkpoint-positions.ts";
import { fittingCheckpoints } from "./fitting-checkpoints.ts";

/** A checkpoint as recovery is planned by it: what is needed after it, and made after it, follows from its links. */
export interface KnownCheckpoint extends CheckpointPositions {
  readonly seq: number;
}

/** A checkpoint with what must be kept for it. */
export interface KeptCheckpoint extends KnownCheckpoint {
  /** Seqs of the checkpoints that it stands on: first one that holds all of the state. None where it holds all itself. */
  readonly members: readonly number[];
}

/** What of a channel can be freed. */
export interface Freed {
  readonly number: number;
  readonly recordsThrough: number;
  readonly checkpointsBefore: number;
}

/** After which seqs outputs may be asked for again, by edge and by the channel that they go to. */
type Wants = ReadonlyMap<number, readonly number[]>;

/** Where a channel starts that never saved its state. */
export const beginning: KeptCheckpoint = { seq: -1, members: [], consumed: [], made: [] };

/** Checkpoints kept though newer ones would do: one may turn out to be damaged. */
const spareCheckpoints = 1;

/**
 * Knows the checkpoints of an execution's channels, and what no task can need any more. A channel may have to start from its
 * oldest checkpoint that it keeps; it keeps the newest one from which all can be made again that any consumer may still ask
 * for, what is newer, and one that is older and has nothing in common with it. Where a checkpoint holds changes only, those
 * that it stands on are kept with it.
 */
export class Retention {
  readonly #plan: Plan;
  readonly #offsets: number[] = [];
  readonly #checkpoints: KeptCheckpoint[][] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    for (const step of plan.steps) {
      this.#offsets.push(this.#checkpoints.length);
      for (let channel = 0; channel < step.channels; channel++) this.#checkpoints.push([beginning]);
    }
  }

  /** Where a channel can start, oldest first; its beginning among it, while its log reaches back to that. */
  checkpoints(number: number): readonly KeptCheckpoint[] {
    return this.#checkpoints[number] ?? [];
  }

  /** True for a checkpoint that a channel could start from, or that such a one stands on. */
  has(number: number, seq: number): boolean {
    return this.checkpoints(number).some((known) => known.seq === seq || known.members.includes(seq));
  }

  /** What a checkpoint would stand on; undefined if that is damaged or gone, so that nobody could start from it. */
  membersOf(number: number, { changes }: CheckpointHead): readonly number[] | undefined {
    if (changes === undefined) return [];
    const previous = this.checkpoints(number).find(({ seq }) => seq === changes.previous);
    if (previous === undefined || previous.seq < 0) return undefined;
    const members = [...previous.members, previous.seq];
    return members[0] === changes.base ? members : undefined;
  }

  /** A checkpoint was saved. Returns what can be freed now, of this channel and of those that it depends on. */
  add(number: number, seq: number, head: CheckpointHead): Freed[] {
    this.find(number, seq, head);
    return this.#release(number);
  }

  /** A checkpoint was found that an earlier process saved: those before it have been looked at. */
  find(number: number, seq: number, head: CheckpointHead): void {
    const members = this.membersOf(number, head);
    if (members === undefined) return;
    const { consumed, made } = head;
    const before = this.checkpoints(number).filter((known) => known.seq < seq);
    this.#checkpoints[number] = [...before, { seq, members, consumed, made }];
  }

  /** The log of a channel begins with this seq: what would have to be run again from before that can't be. */
  cutLog(number: number, firstSeq: number): void {
    this.#checkpoints[number] = this.checkpoints(number).filter(({ seq }) => seq >= firstSeq - 1);
  }

  /** A checkpoint turned out to be damaged, and with it all that stand on it. */
  forget(number: number, damaged: number): void {
    this.#checkpoints[number] = this.checkpoints(number).filter(
      ({ seq, members }) => seq !== damaged && !members.includes(damaged),
    );
  }

  #release(number: number): Freed[] {
    const { step } = this.#placeOf(number);
    const edge = feedbackEdgeOf(this.#plan.steps[step]);
    if (edge !== undefined) return this.#releaseLoop(step, edge);
    const known = this.checkpoints(number);
    const wants = this.#wantsOf(number);
    const keep = spareOf(
      known,
      known.findLastIndex((checkpoint) => makesAll(checkpoint, wants)),
    );
    return this.#withProducers(step, this.#keepFrom(number, keep));
  }

  /** The channels of a loop start from checkpoints that fit together; so do those that are kept to spare. */
  #releaseLoop(step: number, edge: number): Freed[] {
    const first = this.#offsets[step] ?? 0;
    const count = this.#plan.steps[step]?.channels ?? 0;
    const channels = Array.from({ length: count }, (_, channel) => this.checkpoints(first + channel));
    const wants = channels.map((_, channel) => this.#wantsOf(first + channel));
    const suits = (channel: number, checkpoint: KnownCheckpoint): boolean =>
      makesAll(checkpoint, wants[channel] ?? new Map(), edge);
    const newest = channels.map((known) => known.length - 1);
    const line = fittingCheckpoints({ edge, channels }, newest, suits);
    const before = line?.map((at, channel) => Math.max(0, spareOf(channels[channel] ?? [], at)));
    // Mostly: until the last of them has saved.
    if (before === undefined || before.every((at) => at === 0)) return [];
    const spare = fittingCheckpoints({ edge, channels }, before, suits);
    return this.#withProducers(
      step,
      (spare ?? []).flatMap((keep, channel) => this.#keepFrom(first + channel, keep)),
    );
  }

  /** Adds what the producers of a step keep only for what is freed of it. */
  #withProducers(step: number, freed: Freed[]): Freed[] {
    if (freed.length === 0) return freed;
    for (const producer of this.#producersOf(step)) freed.push(...this.#release(producer));
    return freed;
  }

  /** Frees what is before a checkpoint of a channel. */
  #keepFrom(number: number, keep: number): Freed[] {
    const known = this.checkpoints(number);
    const oldest = known[keep];
    if (keep <= 0 || oldest === undefined) return [];
    this.#checkpoints[number] = known.slice(keep);
    return [{ number, recordsThrough: oldest.seq, checkpointsBefore: oldest.members[0] ?? oldest.seq }];
  }

  /** After which seqs the outputs of a channel may be asked for again. What it feeds back, all of its loop makes again. */
  #wantsOf(number: number): Wants {
    const { step, channel } = this.#placeOf(number);
    const wants = new Map<number, number[]>();
    for (const [edge, { from, to, kind }] of this.#plan.edges.entries()) {
      if (from !== step || kind === "feedback") continue;
      const first = this.#offsets[to] ?? 0;
      const consumers = this.#checkpoints.slice(first, first + (this.#plan.steps[to]?.channels ?? 0));
      wants.set(
        edge,
        consumers.map(([oldest = beginning]) => positionOf(oldest.consumed, edge, channel)),
      );
    }
    return wants;
  }

  /** The channels that a step takes from; of those of a loop, of which all are looked at with any, the first. */
  #producersOf(step: number): number[] {
    const producers = new Set<number>();
    for (const { from, to, kind } of this.#plan.edges) {
      if (to !== step || kind === "feedback") continue;
      const channels =
        feedbackEdgeOf(this.#plan.steps[from]) === undefined ? (this.#plan.steps[from]?.channels ?? 0) : 1;
      for (let channel = 0; channel < channels; channel++) producers.add((this.#offsets[from] ?? 0) + channel);
    }
    return [...producers];
  }

  #placeOf(number: number): { readonly step: number; readonly channel: number } {
    const step = this.#offsets.findLastIndex((offset) => offset <= number);
    return { step, channel: number - (this.#offsets[step] ?? 0) };
  }
}

/** True if all can be made again behind a checkpoint that is wanted, but for what goes over one edge. */
function makesAll({ made }: KnownCheckpoint, wants: Wants, but?: number): boolean {
  return made.every(({ edge, other, seq }) => edge === but || seq <= (wants.get(edge)?.[other] ?? -1));
}

/** Index of the checkpoint to keep for the case that a newer one is damaged. */
function spareOf(known: readonly KeptCheckpoint[], newest: number): number {
  let keep = newest - spareCheckpoints;
  // One that the next stands on is no spare: what damages it damages both.
  while (keep > 0 && known[keep + 1]?.members.includes(known[keep]?.seq ?? -1) === true) keep--;
  return keep;
}
