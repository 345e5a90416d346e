import type { Clock } from "../../core/seam/clock.ts";

/** Gives up who isn't heard of for as long as a lease lasts. */
export class Leases<Holder extends object> {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #lapsed: (holder: Holder, silentMs: number) => void;
  readonly #silentSince = new Map<Holder, number>();

  constructor(clock: Clock, leaseMs: number, lapsed: (holder: Holder, silentMs: number) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#lapsed = lapsed;
  }

  /** Somebody is heard: the lease is as good as new. */
  heard(holder: Holder): void {
    this.#silentSince.delete(holder);
  }

  /** Somebody isn't heard any more, or still isn't. */
  silent(holder: Holder): void {
    if (this.#silentSince.has(holder)) return;
    const since = this.#clock.monotonic();
    this.#silentSince.set(holder, since);
    this.#clock.after(this.#leaseMs, () => {
      if (this.#silentSince.get(holder) === since) this.#lapsed(holder, this.#clock.monotonic() - since);
    });
  }
}
