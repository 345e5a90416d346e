import { cellFlag } from "../cell.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import type { DurableCell } from "./durable-cell.ts";

const sweepMs = 2000;
const overMask = cellFlag.stopping | cellFlag.ended;

/**
 * Actors that the journal has among those with something to do, and that have nothing to do any more. They are taken out once they have
 * been quiet for a while: most of those that send will send again at once.
 */
export class QuietActors {
  readonly #clock: Clock;
  readonly #rest: (cell: DurableCell) => void;
  /** How many messages each had handled when it was looked at last. */
  readonly #seen = new Map<DurableCell, number>();
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** @param rest - takes an actor out, unless it has something to do again */
  constructor(clock: Clock, rest: (cell: DurableCell) => void) {
    this.#clock = clock;
    this.#rest = rest;
  }

  add(cell: DurableCell): void {
    if (this.#isClosed || this.#seen.has(cell)) return;
    this.#seen.set(cell, cell.handled);
    this.#cancel ??= this.#clock.after(sweepMs, () => this.#sweep());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#seen.clear();
  }

  #sweep(): void {
    this.#cancel = undefined;
    for (const [cell, handled] of this.#seen) {
      const isOver = (cell.flags & overMask) !== 0 || cell.isLost;
      if (!isOver && handled !== cell.handled) {
        this.#seen.set(cell, cell.handled);
        continue;
      }
      this.#seen.delete(cell);
      if (!isOver) this.#rest(cell);
    }
    if (this.#seen.size > 0) this.#cancel = this.#clock.after(sweepMs, () => this.#sweep());
  }
}
