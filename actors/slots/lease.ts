import type { Readable } from "node:stream";
import type { StuckTurn } from "./turn-watch.ts";

/** Where a slot's process writes its signs of life: the file descriptor after those of standard streams and IPC. */
export const signsOfLifeDescriptor = 4;
/** How often it does. */
export const signsOfLifeEveryMs = 500;

/** A sign of life of the process; one with a text says that the slot itself doesn't come back to its event loop. */
export function signOfLife(stuck?: StuckTurn): string {
  return stuck === undefined ? "." : `${JSON.stringify(stuck)}\n`;
}

/**
 * Watches for a process that is alive but doesn't run: it was stopped, or its machine has no time for it. A thread beside its
 * user code writes signs of life, so that user code may take as long as the limit of a turn lets it; that thread watches it.
 */
export class Lease {
  readonly #timer: NodeJS.Timeout;
  #lastSignAt = performance.now();
  #lastLookAt = performance.now();
  #read = "";

  /** @param ended - one of them is called, once: no sign has come for `leaseMs`, or the thread says that the slot is stuck */
  constructor(
    signs: Readable,
    leaseMs: number,
    ended: { readonly silent: (silentMs: number) => void; readonly stuck: (turn: StuckTurn) => void },
  ) {
    signs.on("data", (written: Buffer) => {
      this.#lastSignAt = performance.now();
      const stuck = this.#parse(written.toString("latin1"));
      if (stuck === undefined) return;
      this.stop();
      ended.stuck(stuck);
    });
    signs.on("error", () => {});
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

  /** A text may come in pieces. */
  #parse(written: string): StuckTurn | undefined {
    this.#read = `${this.#read}${written}`.replace(/^\.+/u, "");
    const end = this.#read.indexOf("\n");
    return end < 0 ? undefined : (JSON.parse(this.#read.slice(0, end)) as StuckTurn);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
