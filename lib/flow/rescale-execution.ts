import type { Scheduler } from "../../actors/scheduler/scheduler.ts";
import type { Drain } from "../../actors/slot/protocol.ts";
import type { FlowReference } from "../core/flow-registry.ts";
import type { SlotPlace } from "../core/placement-strategy.ts";
import { aborted } from "./aborting.ts";
import type { Graph } from "./graph.ts";
import { channelsWanted, type Rescale } from "./rescale-plan.ts";
import type { SessionStart } from "./session-contract.ts";
import type { SessionLineage } from "./session-lineage.ts";

type Resumed = NonNullable<SessionStart["resumed"]>;

export interface RescaleRequest {
  readonly graph: Graph;
  readonly reference: FlowReference;
  readonly resumed: Resumed;
  readonly rescale: Rescale;
  readonly slots: readonly SlotPlace[];
  readonly scheduler: Scheduler;
  readonly lineage: SessionLineage;
  readonly signal: AbortSignal;
  /** Makes ready what the execution needs before its channels go on. */
  readonly prepare: (resumed: Resumed) => Promise<void>;
}

/**
 * Gives an execution other channels: it goes on with those that it had until nothing is on its way any more, and what they have
 * saved then is dealt to the channels of another execution. One whose channels stay as they are is left alone.
 *
 * @returns what is to be gone on with
 */
export async function rescaleExecution(request: RescaleRequest): Promise<Resumed> {
  const { graph, resumed, rescale, slots, lineage } = request;
  const { execution, stored } = resumed;
  const wanted = channelsWanted(graph, stored.plan, slots, rescale);
  if (stored.plan.steps.every(({ id, channels }) => wanted.get(id) === channels)) return resumed;
  const drain = await lineage.drainOf(graph, execution, stored);
  await request.prepare(resumed);
  await drained(request, drain);
  return lineage.rescale({ graph, execution, stored, drain, slots, wanted, strict: rescale !== true });
}

/** Runs an execution until its steps have paused. */
async function drained(
  { resumed, reference, scheduler, lineage, signal }: RescaleRequest,
  drain: Drain,
): Promise<void> {
  const { execution, stored, firstLife, byHand: attemptsAnew } = resumed;
  const { args, plan, limits, seed, openedAt, strict, splits, earlier } = stored;
  const cancel = (): void => scheduler.cancel(execution, aborted(signal));
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await new Promise<unknown>((resolve, reject) => {
      const { recovery } = lineage;
      const task = { execution, reference, args, plan, limits, seed, openedAt, strict, earlier, drain };
      scheduler.run({
        ...task,
        splits: new Map(splits),
        recovery,
        resumed: true,
        firstLife,
        attemptsAnew,
        onEvent: () => {},
        resolve,
        reject,
      });
      if (signal.aborted) cancel();
    });
  } catch (error) {
    lineage.close(execution, error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
