import type { ChannelInput } from "./channel-parts.ts";
import type { TaskSource } from "./timed-taking.ts";
import type { FailedParcels } from "./replay.ts";

/**
 * The parcels that an earlier life of the channel failed on: they are taken one by one, so that the one that is wrong shows,
 * or passed over where it has.
 */
export class CarefulTaking {
  readonly #passOver: string | undefined;
  readonly #edges: ReadonlySet<number>;
  /** Seq of the first and the last of them that hasn't come yet, by producing channel. */
  readonly #first = new Map<number, number>();
  readonly #last = new Map<number, number>();

  constructor(parcels: FailedParcels | undefined) {
    this.#passOver = parcels?.passOver;
    this.#edges = new Set(parcels?.consumed.map(({ edge }) => edge));
    for (const { from, firstSeq, lastSeq } of parcels?.consumed ?? []) {
      this.#first.set(from, Math.min(firstSeq, this.#first.get(from) ?? firstSeq));
      this.#last.set(from, Math.max(lastSeq, this.#last.get(from) ?? lastSeq));
    }
  }

  /** True while some of them haven't come: tasks take one parcel each. */
  get active(): boolean {
    return this.#last.size > 0;
  }

  /** The error that a task's only parcel goes aside with; undefined where it is to be executed. */
  passesOver(taken: TaskSource, inputs: readonly ChannelInput[]): string | undefined {
    if (!this.active || taken.kind !== "parcels" || !this.#edges.has(inputs[taken.input]?.edge ?? -1)) return undefined;
    const [parcel] = taken.parcels;
    const first = this.#first.get(parcel?.from ?? -1);
    const last = this.#last.get(parcel?.from ?? -1);
    if (parcel === undefined || first === undefined || last === undefined || parcel.seq < first) return undefined;
    if (parcel.seq >= last) this.#last.delete(parcel.from);
    return parcel.seq <= last ? this.#passOver : undefined;
  }
}
