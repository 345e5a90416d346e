import type { Readable } from "node:stream";
import type { SlotActivity } from "../slot/turn-notes.ts";
import { SignReader } from "./signs-of-life.ts";
import type { StuckTurn } from "./turn-watch.ts";

// How long the last signs of a process that has ended are waited for, where one of its own children holds the pipe open.
const lastSignsMs = 200;

/**
 * Watches for a process that is alive but doesn't run: it was stopped, or its machine has no time for it. A thread beside its
 * user code writes signs of life, so that user code may take as long as the limit of a turn lets it; that thread watches it.
 */
export class Lease {
  readonly #timer: NodeJS.Timeout;
  readonly #ended: Promise<void>;
  #lastSignAt = performance.now();
  #lastLookAt = performance.now();
  #activity: SlotActivity | undefined;

  /** @param ended - one of them is called, once: no sign has come for `leaseMs`, or the thread says that the slot is stuck */
  constructor(
    signs: Readable,
    leaseMs: number,
    ended: { readonly silent: (silentMs: number) => void; readonly stuck: (turn: StuckTurn) => void },
  ) {
    const reader = new SignReader();
    let stuck = false;
    signs.on("data", (written: Buffer) => {
      this.#lastSignAt = performance.now();
      for (const sign of reader.take(written)) {
        if ("at" in sign) this.#activity = sign.at ?? undefined;
        else if (!stuck) {
          stuck = true;
          this.stop();
          ended.stuck(sign.stuck);
        }
      }
    });
    signs.on("error", () => {});
    this.#ended = new Promise((resolve) => void signs.once("close", resolve));
    const lookEveryMs = Math.max(50, Math.min(1000, leaseMs / 4));
    this.#timer = setInterval(() => {
      const now = performance.now();
      // If this process didn't run either, signs may wait to be read.
      if (now - this.#lastLookAt > 2 * lookEveryMs) this.#lastSignAt = now;
      this.#lastLookAt = now;
      if (now - this.#lastSignAt < leaseMs) return;
      this.stop();
      ended.silent(Math.round(now - this.#lastSignAt));
    }, lookEveryMs);
    this.#timer.unref();
  }

  /** What the slot was at when its process ended, which it has: as far as it came to say so. */
  async lastActivity(): Promise<SlotActivity | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, lastSignsMs)));
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    return this.#activity;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
