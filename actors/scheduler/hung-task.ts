import { errorToData, QStreamError, type Place } from "../../lib/core/errors.ts";
import { executionMark, type SlotActivity } from "../slot/turn-notes.ts";
import type { ChannelFailure } from "./losses.ts";
import type { Running } from "./running.ts";

/** A slot was given up while it was at something of an execution. */
export interface Hang {
  /** The loss, with the place of what it hung in. */
  readonly error: Error;
  /** What counts as a failure of a channel; undefined where no live channel is known to have hung. */
  readonly failure: ChannelFailure | undefined;
}

/** What a slot that didn't come back hung in, if that was, or may have been, part of this execution. */
export function hangOf(
  running: Running,
  slot: string,
  loss: Error,
  activity: SlotActivity | undefined,
): Hang | undefined {
  const { request, lives, recovering } = running;
  if (activity === undefined) return undefined;
  if (activity.execution === undefined) return { error: loss, failure: undefined };
  if (activity.execution !== executionMark(request.execution)) return undefined;
  const { life, seq, consumed } = activity;
  if (life === undefined) {
    const what = `${loss.message} (while it loaded the flow's module, or built the flow)`;
    return { error: new QStreamError("SLOT_LOST", what, { cause: loss }), failure: undefined };
  }
  const live = lives.ofLife(life);
  const channel = live ?? lives.all[recovering?.replayOf(life)?.number ?? -1];
  const step = request.plan.steps[channel?.step ?? -1];
  if (channel === undefined || step === undefined) return undefined;
  const input = step.inputs.find(({ edge }) => edge === consumed[0]?.edge)?.name;
  const place: Place = {
    step: step.id,
    channel: channel.channel,
    ...(seq === undefined ? {} : { seq }),
    ...(input === undefined ? {} : { input }),
  };
  const error = new QStreamError("SLOT_LOST", loss.message, { ...place, cause: loss });
  if (live?.slot !== slot) return { error, failure: undefined };
  const { execution } = request;
  const task = { seq: seq ?? 0, byUser: true, consumed };
  return { error, failure: { kind: "channel-failed", execution, slot, life, error: errorToData(error), ...task } };
}
