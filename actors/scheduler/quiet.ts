import type { Report } from "../slot/protocol.ts";

/**
 * Reports without any progress, from each slot (one that is busy doesn't report), after which an execution in which
 * everything waits is called stuck.
 */
const reportsMax = 12;
/** What comes closer together than this waited for a busy thread: what others sent may wait behind it. */
const apartMs = 50;

/** Tells an execution in which everything waits for everything from one in which something is still on its way. */
export class Quiet {
  readonly #reports = new Map<string, { count: number; at: number }>();
  readonly #replayPulses = new Map<string, number>();
  readonly #replayLives = new Map<string, number>();
  #pulse = -1;

  /** Something happened. */
  end(): void {
    this.#reports.clear();
  }

  /**
   * A slot reported.
   *
   * @param pulse - changes whenever a channel got on
   * @param now - monotonic milliseconds
   */
  reported(report: Extract<Report, { kind: "progress" }>, pulse: number, now: number): void {
    const { slot, replays, onItsWay } = report;
    const replaysGetOn = replays.busy > 0 || replays.pulse !== (this.#replayPulses.get(slot) ?? 0);
    if (pulse !== this.#pulse || replaysGetOn || onItsWay) this.end();
    this.#pulse = pulse;
    this.#replayPulses.set(slot, replays.pulse);
    this.#replayLives.set(slot, replays.lives);
    const known = this.#reports.get(slot);
    if (known === undefined) this.#reports.set(slot, { count: 1, at: now });
    else if (now - known.at >= apartMs) this.#reports.set(slot, { count: known.count + 1, at: now });
  }

  /** How many lives on these slots only make outputs again, and haven't been told that it's enough. */
  replaying(slots: readonly string[]): number {
    return slots.reduce((sum, slot) => sum + (this.#replayLives.get(slot) ?? 0), 0);
  }

  /** True if all of these slots have reported for long that nothing happens. */
  isLong(slots: readonly string[]): boolean {
    return slots.every((slot) => (this.#reports.get(slot)?.count ?? 0) >= reportsMax);
  }
}
