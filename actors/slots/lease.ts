import type { Readable } from "node:stream";

/** Where a slot's process writes its signs of life: the file descriptor after those of standard streams and IPC. */
export const signsOfLifeDescriptor = 4;
/** How often it does. */
export const signsOfLifeEveryMs = 500;

/**
 * Watches for a process that is alive but doesn't run: it was stopped, or its machine has no time for it. A thread beside its
 * user code writes signs of life, so that user code may take as long as it wants.
 */
export class Lease {
  readonly #timer: NodeJS.Timeout;
  #lastSignAt = performance.now();
  #lastLookAt = performance.now();

  /** @param ended - called once when no sign has come for `leaseMs` */
  constructor(signs: Readable, leaseMs: number, ended: (silentMs: number) => void) {
    signs.on("data", () => (this.#lastSignAt = performance.now()));
    signs.on("error", () => {});
    const lookEveryMs = Math.max(50, Math.min(1000, leaseMs / 4));
    this.#timer = setInterval(() => {
      const now = performance.now();
      // If this process didn't run either, signs may wait to be read.
      if (now - this.#lastLookAt > 2 * lookEveryMs) this.#lastSignAt = now;
      this.#lastLookAt = now;
      if (now - this.#lastSignAt < leaseMs) return;
      this.stop();
      ended(Math.round(now - this.#lastSignAt));
    }, lookEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
