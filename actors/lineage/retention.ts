import type { CheckpointPositions } from "../../lib/core/contracts/lineage.ts";
import type { Plan } from "../../lib/core/plan.ts";

/** A checkpoint as recovery is planned by it: what is needed after it, and made after it, follows from its links. */
export interface KnownCheckpoint extends CheckpointPositions {
  readonly seq: number;
}

/** What of a channel can be freed. */
export interface Freed {
  readonly number: number;
  /** Records through this seq, and checkpoints before it. */
  readonly before: number;
}

/** Where a channel starts that never saved its state. */
export const beginning: KnownCheckpoint = { seq: -1, consumed: [], made: [] };

/** Seq of the last parcel of a link by a checkpoint, or -1. */
export function positionOf(positions: CheckpointPositions["made"], edge: number, other: number): number {
  return positions.find((position) => position.edge === edge && position.other === other)?.seq ?? -1;
}

/** Checkpoints kept though newer ones would do: one may turn out to be damaged. */
const spareCheckpoints = 1;

/**
 * Knows the checkpoints of an execution's channels, and what no task can need any more. A channel may have to start from its
 * oldest checkpoint that it keeps; it keeps the newest one from which all can be made again that any consumer may still ask
 * for, and what is newer.
 */
export class Retention {
  readonly #plan: Plan;
  readonly #offsets: number[] = [];
  readonly #checkpoints: KnownCheckpoint[][] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    for (const step of plan.steps) {
      this.#offsets.push(this.#checkpoints.length);
      for (let channel = 0; channel < step.channels; channel++) this.#checkpoints.push([beginning]);
    }
  }

  /** Where a channel can start, oldest first; its beginning among it, while its log reaches back to that. */
  checkpoints(number: number): readonly KnownCheckpoint[] {
    return this.#checkpoints[number] ?? [];
  }

  /** A checkpoint was saved. Returns what can be freed now, of this channel and of those that it depends on. */
  add(number: number, checkpoint: KnownCheckpoint): Freed[] {
    const known = this.#checkpoints[number] ?? [];
    this.#checkpoints[number] = [...known.filter(({ seq }) => seq < checkpoint.seq), checkpoint];
    return this.#release(number);
  }

  /** A checkpoint turned out to be damaged. */
  forget(number: number, seq: number): void {
    this.#checkpoints[number] = this.checkpoints(number).filter((checkpoint) => checkpoint.seq !== seq);
  }

  #release(number: number): Freed[] {
    const freed: Freed[] = [];
    const known = this.#checkpoints[number] ?? [];
    const wants = this.#wantsOf(number);
    const suits = ({ made }: KnownCheckpoint): boolean =>
      made.every(({ edge, other, seq }) => seq <= (wants.get(`${edge}:${other}`) ?? -1));
    const keep = known.findLastIndex(suits) - spareCheckpoints;
    const oldest = known[keep];
    if (keep <= 0 || oldest === undefined) return freed;
    this.#checkpoints[number] = known.slice(keep);
    freed.push({ number, before: oldest.seq });
    for (const producer of this.#producersOf(number)) freed.push(...this.#release(producer));
    return freed;
  }

  /** After which seq the outputs of a channel may be asked for again, by `edge:to`. */
  #wantsOf(number: number): Map<string, number> {
    const { step, channel } = this.#placeOf(number);
    const wants = new Map<string, number>();
    for (const [edge, { from, to }] of this.#plan.edges.entries()) {
      if (from !== step) continue;
      const consumers = this.#plan.steps[to]?.channels ?? 0;
      for (let consumer = 0; consumer < consumers; consumer++) {
        const oldest = this.#checkpoints[(this.#offsets[to] ?? 0) + consumer]?.[0] ?? beginning;
        wants.set(`${edge}:${consumer}`, positionOf(oldest.consumed, edge, channel));
      }
    }
    return wants;
  }

  #producersOf(number: number): number[] {
    const { step } = this.#placeOf(number);
    const producers = new Set<number>();
    for (const { from, to } of this.#plan.edges) {
      if (to !== step) continue;
      const channels = this.#plan.steps[from]?.channels ?? 0;
      for (let channel = 0; channel < channels; channel++) producers.add((this.#offsets[from] ?? 0) + channel);
    }
    return [...producers];
  }

  #placeOf(number: number): { readonly step: number; readonly channel: number } {
    const step = this.#offsets.findLastIndex((offset) => offset <= number);
    return { step, channel: number - (this.#offsets[step] ?? 0) };
  }
}
