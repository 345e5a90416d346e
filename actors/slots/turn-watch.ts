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

/** Shows that a slot which has come up comes back to its event loop, from now on; nobody looks where `turnMs` is 0. */
export function startBeats(notes: TurnNotes, turnMs: number): void {
  if (turnMs === 0) return;
  notes.beat();
  setInterval(() => notes.beat(), beatEveryMs(turnMs)).unref();
}

/**
 * Watches from another thread whether a slot comes back to its event loop: what nothing in an endless loop can do.
 *
 * @param turnMs - how long a turn may take; it isn't counted before the slot has come up
 * @param stuck - called once when a turn takes longer
 * @returns what ends the watch
 */
export function watchTurns(memory: Int32Array, turnMs: number, stuck: (turn: StuckTurn) => void): () => void {
  const everyMs = beatEveryMs(turnMs);
  let known = 0;
  let changedAt = performance.now();
  let lookedAt = changedAt;
  const timer = setInterval(() => {
    const now = performance.now();
    const beats = beatsOf(memory);
    // If this thread didn't run either, the whole process may have stood still.
    const late = now - lookedAt > 2 * everyMs;
    lookedAt = now;
    if (beats !== known || beats === 0 || late) {
      known = beats;
      changedAt = now;
      return;
    }
    const stuckMs = Math.round(now - changedAt);
    if (stuckMs < turnMs) return;
    clearInterval(timer);
    stuck({ stuckMs, activity: activityOf(memory) });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
