import type { CheckpointHead, CheckpointPositions, LinkPosition, TaskRecord } from "../../core/contracts/lineage.ts";

interface Saved extends CheckpointHead {
  readonly seq: number;
  readonly generation: number;
}

/** Where a channel starts that has no checkpoint. */
const beginning: Saved = { seq: -1, generation: 0, consumed: [], made: [] };

/** Everything that one channel ever committed, also what was freed since. */
export class ChannelHistory {
  /** The newest generation that may write. */
  generation = 0;
  /** How the channel ended, once its log has that. */
  ending: "done" | "stop" | undefined;
  readonly #bytes: Uint8Array[] = [];
  readonly #records: TaskRecord[] = [];
  readonly #splits = new Map<number, number>();
  #checkpoints: Saved[] = [beginning];
  #freedThrough = -1;
  #checkpointsFrom = -1;

  /** Records so far: the seq of the next. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * The oldest checkpoint that the log reaches back to, or the beginning while all records are kept.
   *
   * @param needed - those before it are about to be freed
   */
  startFrom(needed = -1): Saved | undefined {
    return this.#checkpoints.find(({ seq }) => seq >= this.#freedThrough && seq >= needed);
  }

  /** All checkpoints that the log reaches back to, oldest first. */
  get startable(): readonly Saved[] {
    return this.#checkpoints.filter(({ seq }) => seq >= this.#freedThrough);
  }

  /**
   * The oldest checkpoint that somebody may still need, which is one older than the newest behind which everything can be
   * made again that consumers may ask for: one with which that has nothing in common, as it may turn out to be damaged.
   * Undefined where nothing can be freed.
   *
   * @param wanted - after which seq a consumer may ask for the parcels of a link
   */
  neededFrom(wanted: (link: LinkPosition) => number): number | undefined {
    const newest = this.#checkpoints.findLast(({ made }) => made.every((link) => link.seq <= wanted(link)));
    if (newest === undefined) return undefined;
    const whole = newest.changes?.base ?? newest.seq;
    return this.#checkpoints.findLast(({ seq }) => seq < whole)?.seq;
  }

  has(seq: number, bytes: Uint8Array): boolean {
    const known = this.#bytes[seq];
    return known !== undefined && Buffer.compare(known, bytes) === 0;
  }

  /** Takes the next record. Returns what is wrong with it, if anything is. */
  append(seq: number, bytes: Uint8Array, record: TaskRecord): string | undefined {
    const problem = this.#problemOf(seq, record);
    this.#bytes[seq] = bytes;
    this.#records[seq] = record;
    const { cause } = record;
    if (cause.kind === "done" && !record.more) this.ending = "done";
    // What a channel gave at its end may take several tasks to send; or nobody wants the rest.
    else if (cause.kind === "continue" && this.#isEnding(seq) && !record.more) this.ending = "done";
    else if (cause.kind === "stop") this.ending = "stop";
    return problem;
  }

  /** Where the links stood after a task, by the log. */
  #positionsAt(seq: number): CheckpointPositions {
    const consumed = new Map<string, LinkPosition>();
    const made = new Map<string, LinkPosition>();
    for (const record of this.#records.slice(0, seq + 1)) {
      for (const { edge, from, lastSeq } of record.consumed) {
        consumed.set(`${edge}:${from}`, { edge, other: from, seq: lastSeq });
      }
      for (const { edge, to } of record.produced) made.set(`${edge}:${to}`, { edge, other: to, seq: record.seq });
    }
    return { consumed: [...consumed.values()], made: [...made.values()] };
  }

  /** Names of the inputs whose ends were taken by a task; undefined where the channel wanted no more by then, whatever they had. */
  endedInputs(seq: number): ReadonlySet<string> | undefined {
    const causes = this.#records.slice(0, seq + 1).map(({ cause }) => cause);
    if (causes.at(-1)?.kind === "stop") return undefined;
    return new Set(causes.flatMap((cause) => (cause.kind === "input-end" ? [cause.input] : [])));
  }

  /**
   * A checkpoint was saved. Returns what is wrong with it, if anything is.
   *
   * @param captured - an edge whose parcels may be in it, though no task has consumed them
   */
  saved(seq: number, head: CheckpointHead, captured?: number): string | undefined {
    const { generation } = this;
    const { consumed, made } = this.#positionsAt(seq);
    const taken = captured === undefined ? head.consumed : withoutCaptured(head.consumed, consumed, captured);
    if (!samePositions(taken, consumed) || !samePositions(head.made, made)) {
      return `doesn't stand on its log: ${JSON.stringify({ checkpoint: head, log: { consumed, made } })}`;
    }
    // What was asked for again after it had been freed isn't kept.
    if (seq < this.#checkpointsFrom) return undefined;
    const known = this.#checkpoints.find((kept) => kept.seq === seq);
    // A store that was asked twice does the same twice.
    const before = known?.generation === generation ? undefined : this.#lastBefore(seq, generation);
    const saved = { ...head, seq, generation };
    this.#checkpoints = [...this.#checkpoints.filter((kept) => kept.seq !== seq), saved];
    this.#checkpoints.sort((left, right) => left.seq - right.seq);
    const { changes } = head;
    if (changes === undefined || known?.generation === generation) return undefined;
    if (before === undefined) return `holds changes, and is the first of its life`;
    if (before.seq !== changes.previous)
      return `holds changes since ${changes.previous}, after ${before.seq} was saved`;
    const base = before.changes?.base ?? before.seq;
    return base === changes.base ? undefined : `says that it stands on ${changes.base}, which is ${base}`;
  }

  /** True for a checkpoint that was saved, though it may have been freed since. */
  wasSaved(seq: number): boolean {
    return seq < this.#checkpointsFrom || this.#checkpoints.some((kept) => kept.seq === seq);
  }

  /** Returns what is kept without all that it stands on, if anything is. */
  freed(recordsThrough: number, checkpointsBefore: number): string | undefined {
    this.#freedThrough = Math.max(this.#freedThrough, recordsThrough);
    this.#checkpointsFrom = Math.max(this.#checkpointsFrom, checkpointsBefore);
    this.#checkpoints = this.#checkpoints.filter(({ seq }) => seq >= checkpointsBefore);
    const bases = new Set(this.#checkpoints.filter(({ changes }) => changes === undefined).map(({ seq }) => seq));
    const torn = this.#checkpoints.find(
      ({ seq, changes }) => seq >= this.#freedThrough && changes !== undefined && !bases.has(changes.base),
    );
    return torn === undefined ? undefined : `checkpoint ${torn.seq} holds changes since what is gone`;
  }

  #lastBefore(seq: number, generation: number): Saved | undefined {
    return this.#checkpoints.findLast((kept) => kept.seq >= 0 && kept.seq < seq && kept.generation === generation);
  }

  #problemOf(seq: number, record: TaskRecord): string | undefined {
    const { cause } = record;
    if (seq !== this.length) return `it follows record ${this.length - 1}`;
    if (record.seq !== seq) return `it says that it is record ${record.seq}`;
    if (this.ending !== undefined) return "the channel had ended before it";
    const before = this.#records.at(-1);
    if (before?.more === true && cause.kind !== "continue" && cause.kind !== "read" && cause.kind !== "stop") {
      return `it is "${cause.kind}" though the task before it had more to give`;
    }
    if (cause.kind !== "read") return undefined;
    const position = this.#splits.get(cause.split) ?? 0;
    this.#splits.set(cause.split, position + cause.count);
    return cause.position === position
      ? undefined
      : `it reads split ${cause.split} at ${cause.position}, after ${position}`;
  }

  #isEnding(seq: number): boolean {
    let at = seq;
    while (this.#records[at]?.cause.kind === "continue") at--;
    return this.#records[at]?.cause.kind === "done";
  }
}

/** A parcel of one link, as its producer's log has it. */
interface LoggedParcel {
  readonly seq: number;
  readonly objects: number;
  readonly checksum: number;
}

/** Everything that was ever made for one link, and how far it was consumed. */
export class LinkHistory {
  readonly #parcels: LoggedParcel[] = [];
  readonly #indexes = new Map<number, number>();
  #consumed = 0;
  #sentThrough = -1;

  /** Parcels that no task has consumed. */
  get unread(): number {
    return this.#parcels.length - this.#consumed;
  }

  produced(parcel: LoggedParcel): void {
    this.#indexes.set(parcel.seq, this.#parcels.length);
    this.#parcels.push(parcel);
  }

  /** A parcel left its slot. */
  sent(seq: number): void {
    this.#sentThrough = Math.max(this.#sentThrough, seq);
  }

  /** Seqs of parcels up to one that never left their slot. */
  unsent(through: number): number[] {
    return this.#parcels.flatMap(({ seq }) => (seq > this.#sentThrough && seq <= through ? [seq] : []));
  }

  parcel(seq: number): (LoggedParcel & { readonly previous: number }) | undefined {
    const index = this.#indexes.get(seq);
    const parcel = this.#parcels[index ?? -1];
    return parcel === undefined || index === undefined
      ? undefined
      : { ...parcel, previous: this.#parcels[index - 1]?.seq ?? -1 };
  }

  /** A task consumed a run of parcels. Returns what is wrong with that, if anything is. */
  consume(firstSeq: number, lastSeq: number): string | undefined {
    const next = this.#parcels[this.#consumed]?.seq;
    const last = this.#indexes.get(lastSeq);
    if (last === undefined) return "which no committed task had made";
    if (next !== firstSeq) return next === undefined ? "though all was consumed" : `though ${next} was next`;
    if (last < this.#consumed) return "though that was consumed before";
    this.#consumed = last + 1;
    return undefined;
  }
}

/** Seq of the last parcel of a link, or -1. */
export function positionIn(positions: readonly LinkPosition[], edge: number, other: number): number {
  return positions.find((position) => position.edge === edge && position.other === other)?.seq ?? -1;
}

/** Positions as they would be without the parcels of an edge that a checkpoint holds. */
function withoutCaptured(
  held: readonly LinkPosition[],
  consumed: readonly LinkPosition[],
  edge: number,
): readonly LinkPosition[] {
  return held.flatMap((position) => {
    if (position.edge !== edge) return [position];
    const seq = positionIn(consumed, edge, position.other);
    if (seq < 0) return [];
    return [{ ...position, seq: Math.min(position.seq, seq) }];
  });
}

/** True for the same links with the same seqs, in any order. */
function samePositions(left: readonly LinkPosition[], right: readonly LinkPosition[]): boolean {
  const texts = (positions: readonly LinkPosition[]): string =>
    positions
      .map(({ edge, other, seq }) => `${edge}:${other}:${seq}`)
      .toSorted()
      .join(" ");
  return texts(left) === texts(right);
}

// Channels of a step.
const channelsMax = 1 << 16;

/** What all channels of an execution ever committed, and all links ever carried. */
export class LogHistory {
  readonly #channels = new Map<number, ChannelHistory>();
  readonly #links = new Map<number, LinkHistory>();

  channel(number: number): ChannelHistory {
    let history = this.#channels.get(number);
    if (history === undefined) this.#channels.set(number, (history = new ChannelHistory()));
    return history;
  }

  link(edge: number, from: number, to: number): LinkHistory {
    const key = (edge * channelsMax + from) * channelsMax + to;
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = new LinkHistory()));
    return link;
  }

  clear(): void {
    this.#channels.clear();
    this.#links.clear();
  }
}
