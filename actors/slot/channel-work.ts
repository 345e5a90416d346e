import { QStreamError } from "../../lib/core/errors.ts";
import { topologicalOrder, type Plan, type PlannedStep } from "../../lib/core/plan.ts";
import type { StepCode } from "../../lib/core/program.ts";
import { seedOf } from "../../lib/core/seam/random.ts";
import type { ChannelParts } from "../channel/channel-parts.ts";
import type { CheckpointPolicy } from "../channel/checkpoints.ts";
import { KeepingSinkWork } from "../channel/kept-writes.ts";
import { LoopWork } from "../channel/loop-work.ts";
import { ReaderWork } from "../channel/reader-work.ts";
import { VerifyingTasks, type Verification } from "../channel/verify-replay.ts";
import { OperatorWork, SinkWork, type Work } from "../channel/work.ts";
import type { ChannelOrder, DoneChannel, PrepareOrder } from "./protocol.ts";

/** An operator whose state is always saved whole: what looks at its state between checkpoints spoils what it says of changes. */
class WholeWork extends OperatorWork {
  override get changes(): undefined {
    return undefined;
  }
}

/**
 * When a step's channels save their states: those of readers first, then those of the steps behind them, one after the other. A
 * channel is gone on with from a state behind which it makes all that the saved states of its consumers lack. Would all save at one
 * time, what is on its way then would make each step begin a whole interval before its consumers.
 */
export function checkpointsOf({ plan, checkpoints }: PrepareOrder, step: number): CheckpointPolicy {
  let stages = stagesOf.get(plan);
  if (stages === undefined) stagesOf.set(plan, (stages = countStages(plan)));
  const stage = stages[step] ?? 1;
  return { ...checkpoints, firstMs: (checkpoints.everyMs * stage) / Math.max(...stages) };
}

const stagesOf = new WeakMap<Plan, readonly number[]>();

/** For each step the number of steps of the longest way to it, itself among them. */
function countStages({ steps, edges }: Plan): readonly number[] {
  const stages = steps.map(() => 1);
  const sorted = topologicalOrder(steps.length, edges);
  for (const from of "order" in sorted ? sorted.order : []) {
    for (const edge of edges) {
      if (edge.from === from && edge.kind === "forward")
        stages[edge.to] = Math.max(stages[edge.to] ?? 1, (stages[from] ?? 1) + 1);
    }
  }
  return stages;
}

/** What a channel does in its tasks. */
export function workOf(code: StepCode, order: ChannelOrder, execution: PrepareOrder): Work | ReaderWork {
  const { strict } = execution;
  switch (code.kind) {
    case "reader":
      return new ReaderWork(code.reader, order.splits ?? []);
    case "operator": {
      const step = execution.plan.steps[order.step];
      if (code.loop !== undefined && step !== undefined) return new LoopWork(code.create, strict, code.loop, step);
      return isVerified(order, execution) ? new WholeWork(code.create, strict) : new OperatorWork(code.create, strict);
    }
    case "sink":
      return drains(order, execution) ? new KeepingSinkWork(code.sink, strict) : new SinkWork(code.sink, strict);
    case "actors":
      throw new QStreamError("INTERNAL", "actors don't run in channels");
  }
}

/** Runs a sample of a channel's tasks twice, if the execution asks for it; undefined otherwise, and for sinks. */
export function verifyingTasks(
  code: StepCode,
  order: ChannelOrder,
  execution: PrepareOrder,
  parts: Pick<Verification, "edges" | "context">,
): ChannelParts["tasks"] {
  if (!isVerified(order, execution) || code.kind === "sink" || code.kind === "actors") return undefined;
  // What a loop takes depends on what it gave: another run beside it would have to be one of all its channels.
  if (code.kind === "operator" && code.loop !== undefined) return undefined;
  const { verifyReplay: share = 0, seed, strict } = execution;
  const verification: Verification = {
    ...parts,
    share,
    seed: seedOf(seed, order.step),
    operator: () => (code.kind === "operator" ? new OperatorWork(code.create, strict) : undefined),
    reading: (split) => {
      const own = order.splits?.filter(({ index }) => index === split) ?? [];
      return code.kind === "reader" ? new ReaderWork(code.reader, own) : undefined;
    },
  };
  return (channel, settled) => new VerifyingTasks(channel, settled, verification);
}

/** A life that only makes outputs again is compared with the log anyway. */
function isVerified(order: ChannelOrder, { verifyReplay = 0 }: PrepareOrder): boolean {
  return verifyReplay > 0 && order.consumers === undefined;
}

/** Number of the first channel of each step. */
export function offsetsOf(steps: readonly PlannedStep[]): number[] {
  const offsets: number[] = [];
  let offset = 0;
  for (const step of steps) {
    offsets.push(offset);
    offset += step.channels;
  }
  return offsets;
}

/** True for a channel that pauses, so that its step can have another number of channels. */
export function drains({ step, consumers }: ChannelOrder, { drain }: PrepareOrder): boolean {
  return consumers === undefined && drain?.pausing.includes(step) === true;
}

/** The inputs of a step whose producers only pause. */
export function pausingInputs({ inputs }: PlannedStep, { drain, plan }: PrepareOrder): number[] {
  if (drain === undefined) return [];
  return inputs.flatMap(({ edge }, index) => (drain.pausing.includes(plan.edges[edge]?.from ?? -1) ? [index] : []));
}

/** The error where the part of a sink's channel can't be sent to the client. */
export function partStays({ steps }: Plan, channels: readonly DoneChannel[], cause: unknown): QStreamError {
  const sink = channels.find((done) => done.part !== undefined);
  const step = steps[sink?.step ?? -1]?.id;
  const what = `what a sink returned for its part of the result can't travel: ${String(cause)}`;
  const advice = "Return plain data from the sink's done";
  return new QStreamError("CANNOT_TRAVEL", what, { ...(step === undefined ? {} : { step }), advice, cause });
}
