import { QStreamError } from "../../lib/core/errors.ts";
import type { ChannelParts } from "./channel-parts.ts";
import { isByUser, locate } from "./failure.ts";
import { ReaderWork } from "./reader-work.ts";
import type { Tasks } from "./tasks.ts";

/** Nobody wants more of a reader, which may wait for a source that never answers: the task ends with what came before. */
export function interruptReader({ work, ctx }: ChannelParts, tasks: Tasks): void {
  if (!(work instanceof ReaderWork)) return;
  tasks.output?.interrupt();
  ctx.abort(new QStreamError("ABORTED", "nobody wants more objects of this reader"));
}

/**
 * Says where a channel failed.
 *
 * @param behind - the task, where that was over and in the log; else it is the one that runs, with what it has taken
 */
export function reportFailure({ ctx, events }: ChannelParts, tasks: Tasks, error: unknown, behind?: number): void {
  if (behind !== undefined) {
    const place = { step: ctx.step, channel: ctx.channel, seq: behind };
    events.failed(locate(error, place), { seq: behind, byUser: isByUser(error), consumed: [], objects: 0 });
    return;
  }
  const { consumed, objects, input, timer } = tasks;
  const seq = Math.max(0, tasks.seq);
  const cause = { ...(input === undefined ? {} : { input }), ...(timer === undefined ? {} : { timer }) };
  const place = { step: ctx.step, channel: ctx.channel, seq, ...cause };
  events.failed(locate(error, place), { seq, byUser: isByUser(error), consumed, objects });
}

/** A channel has done all: user code is closed, and what it spilled is removed. */
export async function closeWork({ work, ctx }: ChannelParts): Promise<void> {
  ctx.pendingTimers?.stop();
  if (!(work instanceof ReaderWork)) await work.close();
  await ctx.spill.clear();
}

/**
 * Ends a channel where it is: nothing is taken nor sent any more.
 *
 * @param sink - what becomes of a sink's output
 */
export async function endWork(
  { work, ctx, inputs, outputs }: ChannelParts,
  reason: Error,
  tasks: Tasks,
  sink: () => void | Promise<void>,
): Promise<void> {
  ctx.abort(reason);
  ctx.pendingTimers?.stop();
  inputs.clear();
  for (const link of outputs.links) link.close();
  const output = tasks.stop();
  await Promise.allSettled([output?.close(), sink(), work instanceof ReaderWork ? undefined : work.close()]);
  await ctx.spill.clear();
}
