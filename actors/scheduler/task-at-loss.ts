import { errorToData, QStreamError, type Place } from "../../lib/core/errors.ts";
import { executionMark, type SlotActivity } from "../slot/turn-notes.ts";
import type { ChannelFailure } from "./losses.ts";
import type { Running } from "./running.ts";

/** A slot ended by itself, or was given up, while it was at something of an execution. */
export interface TaskAtLoss {
  /** The loss, with the place of what it was at. */
  readonly error: Error;
  /** What counts as a failure of a channel; undefined where no live channel is known to have been at work. */
  readonly failure: ChannelFailure | undefined;
  /** True if it was given up because it hung, which costs a long time. */
  readonly hung: boolean;
}

/** What a lost slot was at, if that was, or may have been, part of this execution, and the reason for its loss. */
export function taskAtLoss(
  running: Running,
  slot: string,
  loss: Error,
  activity: SlotActivity | undefined,
): TaskAtLoss | undefined {
  const { request, lives, recovering } = running;
  if (activity === undefined) return undefined;
  const hung = activity.ended !== true;
  if (activity.execution === undefined) return { error: loss, failure: undefined, hung };
  if (activity.execution !== executionMark(request.execution)) return undefined;
  const { life, seq, consumed, actor } = activity;
  if (actor !== undefined) {
    const at = actor.message === undefined ? "" : ` at "${actor.message}"`;
    const error = new QStreamError("SLOT_LOST", `${loss.message}. It ran ${actor.label}${at}`, { cause: loss });
    return { error, failure: undefined, hung };
  }
  if (life === undefined) {
    const what = `${loss.message} (while it loaded the flow's module, or built the flow)`;
    return { error: new QStreamError("SLOT_LOST", what, { cause: loss }), failure: undefined, hung };
  }
  const live = lives.ofLife(life);
  const channel = live ?? lives.all[recovering?.replayOf(life)?.number ?? -1];
  const step = request.plan.steps[channel?.step ?? -1];
  if (channel === undefined || step === undefined) return undefined;
  // A reader waits most of its time: what ended the slot meanwhile was hardly the reader.
  if (!hung && activity.waits === true && step.kind === "reader") return undefined;
  const input = step.inputs.find(({ edge }) => edge === consumed[0]?.edge)?.name;
  const place: Place = {
    step: step.id,
    channel: channel.channel,
    ...(seq === undefined ? {} : { seq }),
    ...(input === undefined ? {} : { input }),
  };
  const error = new QStreamError("SLOT_LOST", loss.message, { ...place, cause: loss });
  if (live?.slot !== slot) return { error, failure: undefined, hung };
  const { execution } = request;
  const task = { seq: seq ?? 0, byUser: true, consumed };
  return {
    error,
    failure: { kind: "channel-failed", execution, slot, life, error: errorToData(error), ...task },
    hung,
  };
}
