import { invariant } from "../../lib/core/errors.ts";
import type { Window } from "./inputs.ts";
import { creditOf, type Parcel } from "./parcel.ts";
import type { Spool } from "./spool.ts";

/** Where a link leads: it hands over parcels to the same slot or to a transport. */
export interface LinkTarget {
  /** True if both ends are in one slot, so that objects pass by reference. */
  readonly local: boolean;
  /** Name of the slot at the other end: parcels of equal content for one slot are encoded once. */
  readonly slot: string;
  parcel: (parcel: Parcel) => void;
  end: (previous: number) => void;
}

/**
 * The producer's end of a link: counts credit, and numbers what is sent. A link is open from the start, or, where one of its
 * ends is another life of a channel that was lost, once the consumer says what it has.
 */
export class OutgoingLink {
  readonly edge: number;
  readonly to: number;
  readonly spool: Spool | undefined;
  #target: LinkTarget;
  #creditObjects: number;
  #creditBytes: number;
  #madeSeq = -1;
  /** Of parcels that were made, and whose tasks aren't committed: they are going to use credit. */
  #unsentObjects = 0;
  #unsentBytes = 0;
  #sentSeq = -1;
  /** Parcels up to this one are with the consumer: replay makes them again, and they aren't sent. */
  #skipThrough = -1;
  #opened: boolean;
  #cancelled = false;
  #ended = false;
  #checked = false;
  /** Parcels of tasks that were on their way when the consumer was lost: a few, as no further task starts. */
  #waiting: Parcel[] = [];

  /** @param opened - false where the consumer is going to ask */
  constructor(
    edge: number,
    to: number,
    window: Window,
    target: LinkTarget,
    spool: Spool | undefined,
    opened: boolean = true,
  ) {
    this.edge = edge;
    this.to = to;
    this.#target = target;
    this.spool = spool;
    this.#creditObjects = window.objects;
    this.#creditBytes = window.bytes;
    this.#opened = opened;
  }

  get target(): LinkTarget {
    return this.#target;
  }

  /** True if nothing is sent any more: the producer ended it, or the consumer wants no more. */
  get closed(): boolean {
    return this.#cancelled || this.#ended;
  }

  /** True if the consumer wants no more. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** False while the consumer has yet to say what it has. */
  get opened(): boolean {
    return this.#opened;
  }

  get hasCredit(): boolean {
    return this.#opened && this.#creditObjects > 0 && this.#creditBytes > 0;
  }

  /**
   * True if the channel can't run a task because of this link. A link that spools holds it back only
   * while the disk is behind.
   */
  get blocks(): boolean {
    if (this.closed) return false;
    if (!this.#opened) return true;
    return this.spool === undefined ? !this.#hasRoom : this.spool.writing;
  }

  /** True if there is credit beyond what parcels that were made are going to use. */
  get #hasRoom(): boolean {
    return this.#creditObjects > this.#unsentObjects && this.#creditBytes > this.#unsentBytes;
  }

  /** True if nothing waits in a spool: what was sent so far is on its way. */
  get drained(): boolean {
    return this.spool === undefined || this.spool.empty;
  }

  /** Seq of the last parcel that was made for this link, or -1. Its task may not be committed yet. */
  get madeSeq(): number {
    return this.#madeSeq;
  }

  /** What was made after this seq can still be sent; what was made before has left, and must be made again. */
  get heldAfter(): number {
    return this.spool?.heldAfter ?? this.#waiting[0]?.previous ?? this.#sentSeq;
  }

  /** True once, for the first parcel: its first object is checked for whether it could leave the slot. */
  takeFirst(): boolean {
    if (this.#checked) return false;
    this.#checked = true;
    return true;
  }

  /** A task made a parcel for this link. Returns the seq of the one before it. */
  make(parcel: Pick<Parcel, "seq" | "columnar" | "rows" | "bytes">): number {
    const previous = this.#madeSeq;
    this.#madeSeq = parcel.seq;
    this.#unsentObjects += creditOf(parcel);
    this.#unsentBytes += parcel.bytes;
    return previous;
  }

  /** The task of a parcel is committed. */
  send(parcel: Parcel): void {
    this.#sentSeq = parcel.seq;
    this.#unsentObjects -= creditOf(parcel);
    this.#unsentBytes -= parcel.bytes;
    if (this.closed || parcel.seq <= this.#skipThrough) return;
    if (this.spool !== undefined && (!this.hasCredit || !this.spool.empty)) this.spool.add(parcel);
    else if (this.#opened) this.#deliver(parcel);
    else this.#waiting.push(parcel);
  }

  grant(objects: number, bytes: number): void {
    this.#creditObjects += objects;
    this.#creditBytes += bytes;
  }

  /** The consumer is another life now: nothing is sent until it says what it has. */
  redirect(target: LinkTarget): void {
    this.#target = target;
    this.#opened = false;
    // What the one before had, this one may lack: it says so when it opens the link.
    this.#skipThrough = -1;
  }

  /**
   * The consumer's first word to this life of the producer, or to any by its own new life.
   *
   * @param after - seq of the last parcel that it has
   */
  open(after: number, objects: number, bytes: number): void {
    if (this.#cancelled) return;
    invariant(
      after >= this.heldAfter,
      `a consumer asks for what follows ${after} of a link of edge ${this.edge}, which holds what follows ${this.heldAfter}`,
    );
    this.#opened = true;
    this.#creditObjects = objects;
    this.#creditBytes = bytes;
    this.#skipThrough = after;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const parcel of waiting) if (parcel.seq > after) this.#deliver(parcel);
    if (this.#ended) this.#target.end(this.#sentSeq);
  }

  /** Starts behind the last parcel that an earlier life had made for this link by its checkpoint. */
  restore(seq: number): void {
    this.#madeSeq = seq;
    this.#sentSeq = seq;
  }

  /** Sends what the spool holds as far as credit reaches. */
  async pump(): Promise<void> {
    if (this.spool === undefined) return;
    await this.spool.drain(
      () => this.hasCredit && !this.closed,
      (parcel) => {
        if (parcel.seq > this.#skipThrough) this.#deliver(parcel);
      },
    );
  }

  end(): void {
    if (this.closed) return;
    this.#ended = true;
    // A consumer that has yet to open the link is told then.
    if (this.#opened) this.#target.end(this.#sentSeq);
  }

  /** The consumer wants no more. */
  close(): void {
    this.#cancelled = true;
    this.#waiting = [];
    this.spool?.clear();
  }

  #deliver(parcel: Parcel): void {
    this.#creditObjects -= creditOf(parcel);
    this.#creditBytes -= parcel.bytes;
    this.#target.parcel(parcel);
  }
}
