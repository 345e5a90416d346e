import { systemClock, type Clock } from "../core/seam/clock.ts";
import type { EncodedOutputs } from "./outputs.ts";

interface Held {
  readonly outputs: EncodedOutputs;
  readonly bytes: number;
  readonly stop: () => void;
}

/** How much of them a head holds at once, and for how long. */
export interface HoldingLimits {
  readonly bytesMax: number;
  readonly heldMs: number;
}

const limitsDefault: HoldingLimits = { bytesMax: 256 * 2 ** 20, heldMs: 600_000 };

/**
 * Outputs that are too large for Redis to keep. A head holds them until a client has taken them, for a while, and as far as there is room:
 * those that have waited longest go first.
 */
export class HeldOutputs {
  readonly #limits: HoldingLimits;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  constructor(limits: HoldingLimits = limitsDefault, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Of all outputs that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(execution: string, outputs: EncodedOutputs, bytes: number): void {
    this.drop(execution);
    const stop = this.#clock.after(this.#limits.heldMs, () => this.drop(execution));
    this.#held.set(execution, { outputs, bytes, stop });
    this.#bytes += bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#limits.bytesMax) return;
      this.drop(oldest);
    }
  }

  get(execution: string): EncodedOutputs | undefined {
    return this.#held.get(execution)?.outputs;
  }

  drop(execution: string): void {
    const held = this.#held.get(execution);
    if (held === undefined) return;
    held.stop();
    this.#held.delete(execution);
    this.#bytes -= held.bytes;
  }

  clear(): void {
    for (const execution of this.#held.keys()) this.drop(execution);
  }
}
