import type { Clock } from "../../lib/core/seam/clock.ts";

export interface PeerWatchParts {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Machines of which nothing has come back for so long, though messages wait for them. */
  readonly stuck: (forMs: number) => readonly string[];
  /** Said again as long as it is so. */
  readonly told: (machine: string) => void;
}

// A machine that is gone is noticed by drivers after one.
const silentLeases = 1.5;
// Connections have this time at least to be found broken.
const silentLeastMs = 1500;
const looksPerLease = 4;
const brokenMost = 1024;

/**
 * Notices that a machine can't reach another one, which its drivers may well reach: what the two have to say to each other would
 * wait for as long as that lasts.
 */
export class PeerWatch {
  readonly #parts: PeerWatchParts;
  /** Machines that this one has broken with, or that have broken with it: they don't come back under their names. */
  readonly #broken = new Set<string>();
  #stopLooking: () => void;

  constructor(parts: PeerWatchParts) {
    this.#parts = parts;
    this.#stopLooking = this.#lookLater();
  }

  /** Nothing goes to a machine any more, or comes from it. */
  brokenWith(machine: string): void {
    this.#broken.add(machine);
    const [oldest = ""] = this.#broken;
    if (this.#broken.size > brokenMost) this.#broken.delete(oldest);
  }

  /** Everybody knows that it is gone. */
  gone(machine: string): void {
    this.#broken.delete(machine);
  }

  close(): void {
    this.#stopLooking();
  }

  #lookLater(): () => void {
    const { clock, leaseMs } = this.#parts;
    return clock.after(leaseMs / looksPerLease, () => this.#look());
  }

  #look(): void {
    const { leaseMs, stuck, told } = this.#parts;
    this.#stopLooking = this.#lookLater();
    const silentMs = Math.max(silentLeases * leaseMs, silentLeastMs);
    for (const machine of new Set([...this.#broken, ...stuck(silentMs)])) told(machine);
  }
}
