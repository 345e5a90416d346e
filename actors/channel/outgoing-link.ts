import type { Window } from "./inputs.ts";
import type { Parcel } from "./parcel.ts";
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

/** The producer's end of a link: counts credit, and numbers what is sent. */
export class OutgoingLink {
  readonly edge: number;
  readonly to: number;
  readonly target: LinkTarget;
  readonly spool: Spool | undefined;
  #creditObjects: number;
  #creditBytes: number;
  #lastSeq = -1;
  #closed = false;
  #checked = false;

  constructor(edge: number, to: number, window: Window, target: LinkTarget, spool: Spool | undefined) {
    this.edge = edge;
    this.to = to;
    this.target = target;
    this.spool = spool;
    this.#creditObjects = window.objects;
    this.#creditBytes = window.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get hasCredit(): boolean {
    return this.#creditObjects > 0 && this.#creditBytes > 0;
  }

  /**
   * True if the channel can't run a task because of this link. A link that spools holds it back only
   * while the disk is behind.
   */
  get blocks(): boolean {
    if (this.#closed) return false;
    return this.spool === undefined ? !this.hasCredit : this.spool.writing;
  }

  /** True if nothing waits in a spool: what was sent so far is on its way. */
  get drained(): boolean {
    return this.spool === undefined || this.spool.empty;
  }

  /** True once, for the first parcel: its first object is checked for whether it could leave the slot. */
  takeFirst(): boolean {
    if (this.#checked) return false;
    this.#checked = true;
    return true;
  }

  send(parcel: Omit<Parcel, "previous">): void {
    if (this.#closed) return;
    const numbered = { ...parcel, previous: this.#lastSeq };
    this.#lastSeq = parcel.seq;
    if (this.spool !== undefined && (!this.hasCredit || !this.spool.empty)) this.spool.add(numbered);
    else this.#deliver(numbered);
  }

  grant(objects: number, bytes: number): void {
    this.#creditObjects += objects;
    this.#creditBytes += bytes;
  }

  /** Sends what the spool holds as far as credit reaches. */
  async pump(): Promise<void> {
    if (this.spool === undefined) return;
    await this.spool.drain(
      () => this.hasCredit && !this.#closed,
      (parcel) => this.#deliver(parcel),
    );
  }

  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.target.end(this.#lastSeq);
  }

  /** The consumer wants no more. */
  close(): void {
    this.#closed = true;
    this.spool?.clear();
  }

  #deliver(parcel: Parcel): void {
    this.#creditObjects -= parcel.rows;
    this.#creditBytes -= parcel.bytes;
    this.target.parcel(parcel);
  }
}
