import { errorFromData, QStreamError, type ErrorData } from "../../lib/core/errors.ts";
import { hasActors } from "../../lib/core/plan.ts";
import type { LineageActor } from "../lineage/lineage-actor.ts";
import type { Report } from "../slot/protocol.ts";
import { executionMark, type SlotActivity } from "../slot/turn-notes.ts";
import { reworded, withParcels } from "./failed-parcels.ts";
import { lostTogether } from "./lost-together.ts";
import type { LossReason } from "./messages.ts";
import { presentOf, type Running } from "./running.ts";
import { taskAtLoss, type TaskAtLoss } from "./task-at-loss.ts";

export type ChannelFailure = Extract<Report, { kind: "channel-failed" }>;

// Losses after a first one, without any new task between them, after which it isn't bad luck.
const fruitlessLossesMax = 5;

/** How often a channel's temporary files were damaged after a first time, without any new task between. */
interface Damages {
  readonly tasks: number;
  readonly count: number;
}

/** Decides what a lost slot or a failed channel means for an execution: another try, or its end. */
export class Losses {
  readonly #lineage: LineageActor | undefined;
  readonly #stop: (running: Running, reason: Error) => void;
  readonly #counted: (failure: ChannelFailure, count: number, lost?: readonly number[]) => void;
  readonly #cancel: (execution: string, reason: Error) => void;
  readonly #before = new WeakMap<Running, Map<string, number>>();
  readonly #damages = new WeakMap<Running, Map<number, Damages>>();

  constructor(parts: {
    readonly lineage: LineageActor | undefined;
    readonly stop: (running: Running, reason: Error) => void;
    /** The store has counted a failure; comes back by `failureCounted`. */
    readonly counted: (failure: ChannelFailure, count: number, lost?: readonly number[]) => void;
    readonly cancel: (execution: string, reason: Error) => void;
  }) {
    this.#lineage = parts.lineage;
    this.#stop = parts.stop;
    this.#counted = parts.counted;
    this.#cancel = parts.cancel;
  }

  channelFailed(running: Running, told: ChannelFailure): void {
    const failure = told.byUser ? withParcels(told, running.request.plan) : told;
    const error = errorFromData(failure.error);
    const lineage = this.#lineage;
    const { recovering } = running;
    if (recovering === undefined || lineage === undefined) {
      this.#stop(running, error);
      return;
    }
    const channel = presentOf(running, failure.life);
    const replay = recovering.replayOf(failure.life);
    // One that was given up has nothing to say any more.
    if (channel === undefined && replay === undefined) return;
    const number = channel?.number ?? replay?.number ?? -1;
    const checkpoint = replay?.checkpoint ?? recovering.checkpointOf(number);
    if (checkpoint >= 0 && isUnusable(error)) {
      // There may be an older checkpoint that is whole.
      lineage.forgetCheckpoint(failure.execution, number, checkpoint);
      this.recover(running, channel === undefined ? [] : [number]);
    } else if (isDamage(error) && !this.#isDamagedAgain(running, lineage, number)) {
      // Another life makes again what was on the disk.
      this.recover(running, channel === undefined ? [] : [number]);
    } else if (!failure.byUser || channel === undefined) this.#stop(running, error);
    else this.#count(lineage, failure, channel.number);
  }

  /**
   * A task that fails again and again fails the execution; before that, another life may do better.
   *
   * @param lost - channels that were lost with it and wait for the count
   */
  failureCounted(
    running: Running | undefined,
    failure: ChannelFailure,
    counted: number,
    lost: readonly number[] = [],
  ): void {
    if (running === undefined || running.phase === "stopping") return;
    if (lost.length > 0) running.recovering?.goOn();
    const channel = running.lives.ofLife(failure.life);
    if (channel === undefined) {
      if (lost.length > 0) this.recover(running, lost);
      return;
    }
    const attempts = running.request.recovery?.attempts ?? 1;
    const count = counted - this.#heldBefore(running, `${channel.number} ${causeOf(failure)}`, counted);
    const { consumed, seq, error } = failure;
    const { execution, plan, onEvent } = running.request;
    const step = plan.steps[channel.step];
    const isLast = count >= attempts;
    // What a task gave before it failed may be in the log: then it was taken, and there is nothing to pass over.
    const isVain = consumed.length === 0 || running.recovering?.passesOver(channel.number, consumed) === true;
    if (isLast && (step?.skips !== true || isVain)) {
      this.#stop(running, errorFromData(count > 1 ? triedTimes(count, error) : error));
      return;
    }
    running.recovering?.noteFailed(channel.number, { consumed, ...(isLast ? { passOver: error.message } : {}) });
    onEvent({
      kind: "task-failed",
      execution,
      step: step?.id ?? "",
      channel: channel.channel,
      seq,
      attempt: count,
      attempts,
      next: isLast ? "pass-over" : "try-again",
      error: errorFromData(error),
    });
    this.recover(running, lost.length > 0 ? lost : [channel.number]);
  }

  /**
   * False where nothing can be made again: the execution is stopped.
   *
   * @param slots - all that are lost by this error: several are those of one machine
   * @param reason - what the slot was at, where that may be the reason: of one slot only; `left` is nobody's fault
   */
  slotsLost(running: Running, slots: readonly string[], loss: Error, reason: LossReason | undefined): boolean {
    const { lives, request } = running;
    const activity = typeof reason === "object" ? reason : undefined;
    const task = taskAtLoss(running, slots[0] ?? "", loss, activity);
    const error = task?.error ?? loss;
    const lineage = this.#lineage;
    const isOwn = reason !== "left" && !isElsewhere(running, activity);
    if (
      running.recovering === undefined ||
      lineage === undefined ||
      (isOwn && isHopeless(running, lineage, task, loss))
    ) {
      this.#stop(running, error);
      return false;
    }
    running.lastLoss = error;
    running.recovering.expectSlots(slots.length);
    for (const slot of slots) {
      running.slots.splice(running.slots.indexOf(slot), 1);
      running.awaited.delete(slot);
      request.onEvent({ kind: "slot-lost", execution: request.execution, slot, error });
    }
    const own = lives.on(slots).map(({ number }) => number);
    const channel = task?.failure === undefined ? undefined : lives.ofLife(task.failure.life);
    if (task?.failure === undefined || channel === undefined) this.recover(running, own);
    else {
      const numbers = lostTogether(request.plan, own);
      // How their next lives go about it depends on how often that happened.
      this.#noteLost(running, numbers);
      running.recovering.hold(numbers);
      this.#count(lineage, withParcels(task.failure, request.plan), channel.number, numbers);
    }
    return true;
  }

  /** Other lives take over from the present ones of these channels. */
  recover(running: Running, numbers: readonly number[]): void {
    const lost = lostTogether(running.request.plan, numbers);
    this.#noteLost(running, lost);
    running.recovering?.lose(lost);
  }

  #noteLost(running: Running, numbers: readonly number[]): void {
    const { record, lives } = running;
    for (const number of numbers) {
      const channel = lives.all[number];
      if (channel !== undefined) record.lost(channel.step, channel.channel);
    }
    if (running.phase === "committing") running.phase = "running";
    running.quiet.end();
  }

  /** How many of a cause's failures, of `counted`, were before somebody said to go on in spite of them. */
  #heldBefore(running: Running, cause: string, counted: number): number {
    if (running.request.attemptsAnew !== true) return 0;
    let known = this.#before.get(running);
    if (known === undefined) this.#before.set(running, (known = new Map()));
    const before = known.get(cause) ?? counted - 1;
    known.set(cause, before);
    return before;
  }

  /** True for a channel whose files are damaged again and again, and nothing gets on between: its disk damages whatever it is given. */
  #isDamagedAgain(running: Running, lineage: LineageActor, number: number): boolean {
    let known = this.#damages.get(running);
    if (known === undefined) this.#damages.set(running, (known = new Map()));
    const tasks = lineage.written(running.request.execution)?.records ?? 0;
    const before = known.get(number);
    const count = before?.tasks === tasks ? before.count + 1 : 0;
    known.set(number, { tasks, count });
    return count >= fruitlessLossesMax;
  }

  #count(lineage: LineageActor, failure: ChannelFailure, number: number, lost?: readonly number[]): void {
    lineage.countFailure(failure.execution, number, failure.seq, causeOf(failure)).then(
      (count) => this.#counted(failure, count, lost),
      (cause: unknown) =>
        this.#cancel(failure.execution, cause instanceof Error ? cause : errorFromData(failure.error)),
    );
  }
}

/** The error of a task's last attempt, which says how many there were. */
function triedTimes(count: number, error: ErrorData): ErrorData {
  return reworded(error, `tried ${count} times: ${error.message}`);
}

/**
 * Under which name a failure is counted: that of the parcel, where it was only one, since tasks may be cut otherwise the next
 * time. One of several parcels isn't held against the first of them, which will be tried alone.
 */
function causeOf({ seq, consumed }: ChannelFailure): string {
  const [run] = consumed;
  if (run === undefined) return `task ${seq}`;
  const single = consumed.length === 1 && run.firstSeq === run.lastSeq;
  return `${run.edge}:${run.from}:${run.firstSeq}${single ? "" : "+"}`;
}

/** True if another try makes no sense: slots are lost again and again, or user code hangs where it isn't known in which task. */
function isHopeless(running: Running, lineage: LineageActor, task: TaskAtLoss | undefined, loss: Error): boolean {
  const attempts = running.request.recovery?.attempts ?? 1;
  // The store counts it for the channel. But a heap may run over in another task each time.
  if (task?.failure !== undefined) return isFruitless(running, lineage, fruitlessLossesMax + attempts);
  if (task?.hung === true) return ++running.unplacedHangs >= attempts;
  // Others of its slots may have been lost before, by the same error.
  return loss !== running.lastLoss && isFruitless(running, lineage, fruitlessLossesMax);
}

/**
 * True if a slot is known to have been at something of another execution, which its loss is held against: while there are several
 * of these, this one may not get on between two losses.
 */
function isElsewhere({ request }: Running, activity: SlotActivity | undefined): boolean {
  if (activity?.execution === undefined || activity.waits === true) return false;
  return activity.execution !== executionMark(request.execution);
}

/** True if slots are lost again and again, and nothing gets on between: what runs again after a loss has no new record. */
function isFruitless(running: Running, lineage: LineageActor, lossesMax: number): boolean {
  const { request, record } = running;
  // Actors that aren't durable write nothing.
  const tasks = hasActors(request.plan) ? record.pulse() : (lineage.written(request.execution)?.records ?? 0);
  running.fruitlessLosses = tasks === running.tasksAtLoss ? running.fruitlessLosses + 1 : 0;
  running.tasksAtLoss = tasks;
  return running.fruitlessLosses >= lossesMax;
}

/** True where what a channel had on its disk isn't what it wrote there. */
function isDamage(error: Error): boolean {
  return error instanceof QStreamError && error.code === "SPOOL_DAMAGED";
}

/** True where another checkpoint may do: not for code that takes no state at all. */
function isUnusable(error: Error): boolean {
  if (!(error instanceof QStreamError) || error.code !== "NOT_RECOVERABLE") return false;
  return !(error.cause instanceof QStreamError && error.cause.code === "CODE_CHANGED");
}
