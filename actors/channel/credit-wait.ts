import type { ChannelMetrics } from "./channel-metrics.ts";
import type { ChannelParts } from "./channel-parts.ts";

/** Measures how long a channel could send nothing for want of credit. */
export class CreditWait {
  readonly #parts: Pick<ChannelParts, "clock" | "metrics" | "lineage" | "log">;
  #from: number | undefined;

  constructor(parts: Pick<ChannelParts, "clock" | "metrics" | "lineage" | "log">) {
    this.#parts = parts;
  }

  /** Notes whether there is credit, and passes it on. */
  check(ready: boolean): boolean {
    if (!ready) this.#begin();
    else if (this.#from !== undefined) {
      this.counted();
      this.#from = undefined;
    }
    return ready;
  }

  #begin(): void {
    if (this.#from !== undefined) return;
    const { clock, lineage, log } = this.#parts;
    this.#from = clock.monotonic();
    // What has taken the credit may still wait for its commit.
    lineage.hurry(log.execution);
  }

  /** The metrics, with what has been waited so far, also where the wait goes on. */
  counted(): ChannelMetrics {
    const { clock, metrics } = this.#parts;
    if (this.#from !== undefined) {
      const now = clock.monotonic();
      metrics.creditWaitMs += now - this.#from;
      this.#from = now;
    }
    return metrics;
  }
}
