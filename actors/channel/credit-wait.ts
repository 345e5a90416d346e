import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";

/** Measures how long a channel could send nothing for want of credit. */
export class CreditWait {
  readonly #clock: Clock;
  readonly #metrics: ChannelMetrics;
  #from: number | undefined;

  constructor(clock: Clock, metrics: ChannelMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Notes whether there is credit, and passes it on. */
  check(ready: boolean): boolean {
    if (!ready) this.#from ??= this.#clock.monotonic();
    else if (this.#from !== undefined) {
      this.counted();
      this.#from = undefined;
    }
    return ready;
  }

  /** The metrics, with what has been waited so far, also where the wait goes on. */
  counted(): ChannelMetrics {
    if (this.#from !== undefined) {
      const now = this.#clock.monotonic();
      this.#metrics.creditWaitMs += now - this.#from;
      this.#from = now;
    }
    return this.#metrics;
  }
}
