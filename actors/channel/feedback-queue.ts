import { isMark } from "./mark.ts";
import type { Parcel } from "./parcel.ts";

/** Bytes of what a checkpoint may hold of parcels on their way: beyond, it is given up, and an earlier one stays the newest. */
const waitingBytesMax = 64 << 20;

/** What was on its way to a channel when its state was taken, up to the marks that all channels sent then. */
export interface CapturedParcels {
  readonly parcels: readonly Parcel[];
  /** Seq of each channel's mark, or of what was taken behind it before the state was. */
  readonly marks: ReadonlyMap<number, number>;
}

/**
 * What the feedback input of a loop's channel has beside its queue. In a loop with rounds, a link brings what belongs to the next
 * round once its mark of this one has come: that waits, as it came, until all channels' marks are there. In a loop without, a
 * checkpoint holds what comes until the marks that were sent with it.
 */
export class FeedbackQueue {
  readonly #links: number;
  readonly #isByRound: boolean;
  readonly #marked = new Set<number>();
  #later: Parcel[] = [];
  #capture: Capture | undefined;

  /** @param links - how many channels the loop has */
  constructor(links: number, isByRound: boolean) {
    this.#links = links;
    this.#isByRound = isByRound;
  }

  /** Takes note of a parcel that came. False if it has to wait for the next round. */
  admit(parcel: Parcel): boolean {
    this.#capture?.add(parcel);
    if (!this.#isByRound) return true;
    if (this.#marked.has(parcel.from)) {
      this.#later.push(parcel);
      return false;
    }
    if (isMark(parcel)) this.#marked.add(parcel.from);
    return true;
  }

  /** All of a round was taken. Returns what can be taken in the next one. */
  nextRound(): Parcel[] {
    const waiting = this.#later;
    this.#later = [];
    this.#marked.clear();
    return waiting.filter((parcel) => this.admit(parcel));
  }

  /**
   * The state is taken now, behind the channel's own mark: what comes before the others' marks belongs to it.
   *
   * @param taken - of channels whose marks were taken before: seq of what was taken last
   */
  capture(
    queued: readonly Parcel[],
    taken: ReadonlyMap<number, number>,
    captured: (parcels: CapturedParcels | undefined) => void,
  ): void {
    this.#capture = new Capture(this.#links, taken, (parcels) => {
      this.#capture = undefined;
      captured(parcels);
    });
    for (const parcel of queued) this.#capture?.add(parcel);
  }

  clear(): void {
    this.#later = [];
    this.#capture = undefined;
  }
}

class Capture {
  readonly #links: number;
  readonly #captured: (parcels: CapturedParcels | undefined) => void;
  readonly #parcels: Parcel[] = [];
  readonly #marks: Map<number, number>;
  #bytes = 0;

  constructor(
    links: number,
    taken: ReadonlyMap<number, number>,
    captured: (parcels: CapturedParcels | undefined) => void,
  ) {
    this.#links = links;
    this.#marks = new Map(taken);
    this.#captured = captured;
  }

  add(parcel: Parcel): void {
    if (this.#marks.has(parcel.from)) return;
    this.#parcels.push(parcel);
    this.#bytes += parcel.bytes;
    if (isMark(parcel)) this.#marks.set(parcel.from, parcel.seq);
    if (this.#bytes > waitingBytesMax) this.#captured(undefined);
    else if (this.#marks.size === this.#links) this.#captured({ parcels: this.#parcels, marks: this.#marks });
  }
}
