import type { ChannelParts } from "./channel-parts.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { LoopWork } from "./loop-work.ts";
import { markFlags } from "./mark.ts";
import type { Tasks } from "./tasks.ts";
import type { TaskSource, TimedTaking } from "./timed-taking.ts";
import type { Work } from "./work.ts";

/** Takes what the next task of a channel is about; in a loop, its round decides. */
export function takeNext(
  parts: ChannelParts,
  work: Work,
  timed: TimedTaking,
  objectsMax: number,
  saving: { readonly tasks: Tasks; readonly checkpoints: Checkpoints },
): TaskSource | undefined {
  if (!(work instanceof LoopWork)) return timed.take(objectsMax, work.accepts);
  return work.loop.next(parts.inputs, objectsMax, () => wishesOf(parts, work, saving));
}

/** What a channel wishes as its mark is sent: it is logged with it. */
function wishesOf(
  { outputs, metrics }: ChannelParts,
  { loop, snapshot }: LoopWork,
  { tasks, checkpoints }: { readonly tasks: Tasks; readonly checkpoints: Checkpoints },
): number {
  const due = snapshot !== undefined && checkpoints.due(tasks.seq, metrics.busyMs) ? markFlags.due : 0;
  const busy = checkpoints.isSaving ? markFlags.busy : 0;
  return due | busy | (outputs.isUnwantedBut(loop.edge) ? markFlags.unwanted : 0);
}
