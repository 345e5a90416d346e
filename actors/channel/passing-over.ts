import type { ChannelInput } from "./channel-parts.ts";
import type { Taken } from "./inputs.ts";
import type { PassOver } from "./replay.ts";

/** The parcels that a channel is still to pass over, since its operator failed on them again and again. */
export class PassingOver {
  readonly #error: string;
  readonly #edges: ReadonlySet<number>;
  /** Seq of the first and the last of them, by producing channel. */
  readonly #first = new Map<number, number>();
  readonly #last = new Map<number, number>();

  constructor(parcels: PassOver | undefined) {
    this.#error = parcels?.error ?? "";
    this.#edges = new Set(parcels?.consumed.map(({ edge }) => edge));
    for (const { from, firstSeq, lastSeq } of parcels?.consumed ?? []) {
      this.#first.set(from, Math.min(firstSeq, this.#first.get(from) ?? firstSeq));
      this.#last.set(from, Math.max(lastSeq, this.#last.get(from) ?? lastSeq));
    }
  }

  /** True while some of them haven't come. */
  some(): boolean {
    return this.#last.size > 0;
  }

  /** The error that a task's only parcel goes aside with; undefined where it is to be executed. */
  take(taken: Taken, inputs: readonly ChannelInput[]): string | undefined {
    if (!this.some() || taken.kind !== "parcels" || !this.#edges.has(inputs[taken.input]?.edge ?? -1)) return undefined;
    const [parcel] = taken.parcels;
    const first = this.#first.get(parcel?.from ?? -1);
    const last = this.#last.get(parcel?.from ?? -1);
    if (parcel === undefined || first === undefined || last === undefined || parcel.seq < first) return undefined;
    if (parcel.seq >= last) this.#last.delete(parcel.from);
    return parcel.seq <= last ? this.#error : undefined;
  }
}
