import type { LinkMessage } from "../../core/contracts/transport.ts";

/** A drive, as far as spools are looked at. */
export interface SpoolDrive {
  readonly id: string;
  readonly drive: { readonly count: (what: "appends" | "reads", purpose: string) => number };
}

/**
 * Whether spools keep in memory what fits there, and no more: with memory for all of it nothing is written to a drive, and
 * with memory for none of it every parcel that waited for credit was read from one.
 */
export class SpoolHistory {
  readonly #memoryBytes: number;
  readonly #drives: () => readonly SpoolDrive[];
  /** Parcels that became durable when nothing could be sent: they wait in a spool. */
  readonly #waiting = new Map<string, string>();
  /** Parcels that were sent after they had waited, by slot. */
  readonly #waited = new Map<string, number>();

  constructor(memoryBytes: number, drives: () => readonly SpoolDrive[]) {
    this.#memoryBytes = memoryBytes;
    this.#drives = drives;
  }

  /** True if it matters here which parcels wait. */
  get follows(): boolean {
    return this.#memoryBytes === 0;
  }

  /** A parcel can't be sent yet. */
  waits(slot: string, edge: number, from: number, to: number, seq: number): void {
    this.#waiting.set(`${edge}:${from}:${to}:${seq}`, slot);
  }

  /** A parcel leaves its slot. Returns what is wrong with that, if anything is. */
  sent({ edge, from, to, seq }: Extract<LinkMessage, { kind: "parcel" }>): string | undefined {
    const key = `${edge}:${from}:${to}:${seq}`;
    const slot = this.#waiting.get(key);
    if (slot === undefined) return undefined;
    this.#waiting.delete(key);
    const waited = (this.#waited.get(slot) ?? 0) + 1;
    this.#waited.set(slot, waited);
    const read =
      this.#drives()
        .find(({ id }) => id === slot)
        ?.drive.count("reads", "spool") ?? Infinity;
    if (waited <= read) return undefined;
    return `it waited in memory, where a spool has none: of ${waited} parcels that waited, ${read} were read from the drive`;
  }

  /** Everything is over: says what was written to drives though it had its place in memory. */
  ended(): string | undefined {
    if (this.#memoryBytes !== Infinity) return undefined;
    const wrote = this.#drives().find(({ drive }) => drive.count("appends", "spool") > 0);
    return wrote === undefined ? undefined : `spools of ${wrote.id} wrote to its drive, though all fits their memory`;
  }
}
