import { errorFromData, QStreamError } from "../../lib/core/errors.ts";
import type { LineageActor } from "../lineage/lineage-actor.ts";
import type { Report } from "../slot/protocol.ts";
import type { Running } from "./running.ts";

export type ChannelFailure = Extract<Report, { kind: "channel-failed" }>;

// Losses one after the other, without any task between them, after which it isn't bad luck.
const fruitlessLossesMax = 5;
const channelsMax = 65_536;

/** Decides what a lost slot or a failed channel means for an execution: another try, or its end. */
export class Losses {
  readonly #lineage: LineageActor | undefined;
  readonly #stop: (running: Running, reason: Error) => void;
  readonly #counted: (failure: ChannelFailure, count: number) => void;
  readonly #cancel: (execution: string, reason: Error) => void;

  constructor(parts: {
    readonly lineage: LineageActor | undefined;
    readonly stop: (running: Running, reason: Error) => void;
    /** The store has counted a failure; comes back by `failureCounted`. */
    readonly counted: (failure: ChannelFailure, count: number) => void;
    readonly cancel: (execution: string, reason: Error) => void;
  }) {
    this.#lineage = parts.lineage;
    this.#stop = parts.stop;
    this.#counted = parts.counted;
    this.#cancel = parts.cancel;
  }

  channelFailed(running: Running, failure: ChannelFailure): void {
    const error = errorFromData(failure.error);
    const lineage = this.#lineage;
    const { recovering, lives } = running;
    if (recovering === undefined || lineage === undefined) {
      this.#stop(running, error);
      return;
    }
    const channel = lives.ofLife(failure.life);
    const replay = recovering.replayOf(failure.life);
    // One that was given up has nothing to say any more.
    if (channel === undefined && replay === undefined) return;
    const number = channel?.number ?? replay?.number ?? -1;
    const checkpoint = replay?.checkpoint ?? recovering.checkpointOf(number);
    if (error instanceof QStreamError && error.code === "NOT_RECOVERABLE" && checkpoint >= 0) {
      // There may be an older checkpoint that is whole.
      lineage.forgetCheckpoint(failure.execution, number, checkpoint);
      this.recover(running, channel === undefined ? [] : [number]);
    } else if (error instanceof QStreamError && error.code === "SPOOL_DAMAGED" && channel !== undefined) {
      // Another life makes again what was on the disk.
      this.recover(running, [number]);
    } else if (!failure.byUser || channel === undefined) this.#stop(running, error);
    else {
      lineage.countFailure(failure.execution, channel.number, failureKey(failure)).then(
        (count) => this.#counted(failure, count),
        (cause: unknown) => this.#cancel(failure.execution, cause instanceof Error ? cause : error),
      );
    }
  }

  /** A task that fails again and again fails the execution; before that, another life may do better. */
  failureCounted(running: Running | undefined, failure: ChannelFailure, count: number): void {
    const channel = running?.lives.ofLife(failure.life);
    if (running === undefined || channel === undefined || running.phase === "stopping") return;
    const attempts = running.request.recovery?.attempts ?? 1;
    const { consumed, error } = failure;
    const passesOver = running.request.plan.steps[channel.step]?.skips === true && consumed.length > 0;
    if (count >= attempts && !passesOver) {
      this.#stop(running, errorFromData(error));
      return;
    }
    const passOver = count >= attempts ? { passOver: error.message } : {};
    running.recovering?.noteFailed(channel.number, { consumed, ...passOver });
    this.recover(running, [channel.number]);
  }

  /** False where nothing can be made again: the execution is stopped. */
  slotLost(running: Running, slot: string, error: Error): boolean {
    if (running.recovering === undefined || isFruitless(running)) {
      this.#stop(running, error);
      return false;
    }
    const { lives, request } = running;
    running.lastLoss = error;
    running.slots.splice(running.slots.indexOf(slot), 1);
    running.awaited.delete(slot);
    request.onEvent({ kind: "slot-lost", execution: request.execution, slot, error });
    this.recover(
      running,
      lives.on(slot).map(({ number }) => number),
    );
    return true;
  }

  /** Other lives take over from the present ones of these channels. */
  recover(running: Running, numbers: readonly number[]): void {
    const { record, recovering, lives } = running;
    for (const number of numbers) {
      const channel = lives.all[number];
      if (channel !== undefined) record.lost(channel.step, channel.channel);
    }
    if (running.phase === "committing") running.phase = "running";
    running.quiet.end();
    recovering?.lose(numbers);
  }
}

/**
 * Under which number a failure is counted: that of the parcel, where it was only one, since tasks may be cut otherwise the
 * next time; else that of the task.
 */
function failureKey({ seq, consumed }: ChannelFailure): number {
  const [run] = consumed;
  const single = consumed.length === 1 && run !== undefined && run.firstSeq === run.lastSeq;
  return single ? run.firstSeq * channelsMax + run.from : seq;
}

/** True if slots are lost again and again, and nothing gets on between. */
function isFruitless(running: Running): boolean {
  const tasks = running.record.pulse();
  running.fruitlessLosses = tasks === running.tasksAtLoss ? running.fruitlessLosses + 1 : 0;
  running.tasksAtLoss = tasks;
  return running.fruitlessLosses >= fruitlessLossesMax;
}
