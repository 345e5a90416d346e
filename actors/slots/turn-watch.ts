import { activityOf, beatsOf, type SlotActivity, type TurnNotes } from "../slot/turn-notes.ts";

/** A slot whose event loop isn't come back to. */
export interface StuckTurn {
  readonly stuckMs: number;
  readonly activity: SlotActivity;
}

/** How often a slot says that it is at its event loop, and how often that is looked at. */
function beatEveryMs(turnMs: number): number {
  return Math.min(500, Math.max(20, turnMs / 4));
}

/** Shows that a slot which has come up comes back to its event loop, from now on. */
export function startBeats(notes: TurnNotes | undefined, turnMs: number): void {
  if (notes === undefined) return;
  notes.beat();
  setInterval(() => notes.beat(), beatEveryMs(turnMs)).unref();
}

/** Watches from another thread whether a slot comes back to its event loop: what nothing in an endless loop can do. */
export class TurnWatch {
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #changedAt = performance.now();
  #lookedAt = performance.now();

  /**
   * @param turnMs - how long a turn may take; it isn't counted before the slot has come up
   * @param stuck - called once when a turn takes longer
   */
  constructor(memory: Int32Array, turnMs: number, stuck: (turn: StuckTurn) => void) {
    const everyMs = beatEveryMs(turnMs);
    this.#timer = setInterval(() => {
      const now = performance.now();
      const beats = beatsOf(memory);
      // If this thread didn't run either, the whole process may have stood still.
      const late = now - this.#lookedAt > 2 * everyMs;
      this.#lookedAt = now;
      if (beats !== this.#beats || beats === 0 || late) {
        this.#beats = beats;
        this.#changedAt = now;
        return;
      }
      const stuckMs = Math.round(now - this.#changedAt);
      if (stuckMs < turnMs) return;
      this.stop();
      stuck({ stuckMs, activity: activityOf(memory) });
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
