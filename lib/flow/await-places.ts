import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import type { Plan } from "../core/plan.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
import { isMissing, placePlan } from "../placement/index.ts";

const lookMs = 100;

export interface PlaceWait<Slot extends SlotPlace> {
  readonly execution: string;
  readonly slots: () => readonly Slot[];
  /** False where no slots can come: nothing is waited for. */
  readonly grows: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears of what is missing, when it is waited for. */
  readonly onEvent: ((event: ExecutionEvent) => void) | undefined;
}

/**
 * Plans with the slots that there are, and, where a strategy can't be met that asks to be waited for, again whenever there are others.
 *
 * @throws QStreamError PLACEMENT_IMPOSSIBLE when its time is over
 */
export async function whenPlaceable<Slot extends SlotPlace, Planned extends { readonly plan: Plan }>(
  { execution, slots, grows, clock, signal, onEvent }: PlaceWait<Slot>,
  plan: (slots: readonly Slot[]) => Promise<Planned>,
): Promise<Planned> {
  let until: number | undefined;
  for (;;) {
    const now = slots();
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it can be placed
      const planned = await plan(now);
      if (planned.plan.steps.some(({ placement }) => "whenMissing" in placement)) {
        placePlan(planned.plan, { slots: now, client: "", turn: () => 0 });
      }
      return planned;
    } catch (error) {
      if (!isMissing(error) || error.waitMs === undefined || !grows) throw error;
      if (until === undefined) {
        until = clock.monotonic() + error.waitMs;
        onEvent?.({ kind: "waiting", execution, missing: error.missing, waitMs: error.waitMs });
      }
      const known = now.map(({ id }) => id).join();
      while (
        slots()
          .map(({ id }) => id)
          .join() === known
      ) {
        if (clock.monotonic() >= until) throw error;
        // oxlint-disable-next-line no-await-in-loop -- until others have come
        await delay(clock, lookMs, signal);
      }
    }
  }
}
