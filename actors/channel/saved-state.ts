import { QStreamError } from "../../lib/core/errors.ts";
import { countsOf } from "./channel-metrics.ts";
import type { ChannelParts } from "./channel-parts.ts";
import { decodeSnapshot, type ChannelSnapshot } from "./channel-snapshot.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { isKeptWrites, writesOf, type KeptWrites } from "./kept-writes.ts";
import { positionsOf } from "./link-positions.ts";
import { differs } from "./logged-output.ts";
import { LoopWork } from "./loop-work.ts";
import { ReaderWork } from "./reader-work.ts";
import { saveCaptured, savingOf } from "./saved-loop.ts";
import type { Tasks } from "./tasks.ts";
import { SinkWork, type Work } from "./work.ts";

/** A channel's state, or what has changed in it. */
interface Taken {
  readonly state: unknown;
  readonly isChanges: boolean;
}

/** Saves a channel's state between two tasks, if it is time and the state can be saved. */
export function saveState(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints): void | Promise<void> {
  const { work, metrics } = parts;
  if (work instanceof LoopWork) return saveLoop(parts, work, tasks, checkpoints);
  if (!checkpoints.due(tasks.seq, metrics.busyMs)) return undefined;
  if (work instanceof ReaderWork) {
    void save(parts, tasks, checkpoints, { state: undefined, isChanges: false });
    return undefined;
  }
  // An operator that has more to give is in the middle of something.
  if (work.snapshot === undefined || tasks.output !== undefined) return undefined;
  const taken = checkpoints.takesChanges ? takeChanges(work) : takeAll(work);
  if (taken instanceof Promise) return taken.then((settled) => void save(parts, tasks, checkpoints, settled));
  void save(parts, tasks, checkpoints, taken);
  return undefined;
}

function saveLoop(parts: ChannelParts, work: LoopWork, tasks: Tasks, checkpoints: Checkpoints): void | Promise<void> {
  if (work.snapshot === undefined) return undefined;
  const saving = savingOf(work, parts, tasks, checkpoints);
  if (saving === "no" || tasks.output !== undefined) return undefined;
  const saveNow = (taken: Taken): void => {
    if (saving === "now") void save(parts, tasks, checkpoints, taken);
    else saveCaptured(parts, checkpoints, work.loop, snapshotOf(parts, tasks, taken));
  };
  const taken = takeAll(work);
  return taken instanceof Promise ? taken.then(saveNow) : saveNow(taken);
}

/**
 * Saves all of a channel's state, for others to go on with.
 *
 * @returns whether it is in the store: not for a life that was shut out meanwhile
 * @throws QStreamError UNSUPPORTED where the state can't be saved
 */
export async function saveWhole(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints): Promise<boolean> {
  const { work } = parts;
  // One that hasn't run yet is like one that never was.
  if (tasks.seq < 0) return true;
  if (work instanceof ReaderWork) return save(parts, tasks, checkpoints, { state: undefined, isChanges: false });
  if (work.snapshot === undefined) {
    throw new QStreamError("UNSUPPORTED", "the channels of a step can't change whose state isn't saved", {
      advice:
        "Give it snapshot() and restore(): snapshot() { return null; } and an empty restore() if it has no state. Or go on with as many channels as before",
    });
  }
  return save(parts, tasks, checkpoints, await takeAll(work));
}

function takeChanges(work: Work): Taken | Promise<Taken> {
  const changes = work.changes?.();
  if (changes instanceof Promise) return changes.then((settled) => changesOrAll(work, settled));
  return changesOrAll(work, changes);
}

/** An operator that has no changes to tell, or can't tell them now, saves all of its state. */
function changesOrAll(work: Work, changes: unknown): Taken | Promise<Taken> {
  return changes === undefined ? takeAll(work) : { state: changes, isChanges: true };
}

function takeAll(work: Work): Taken | Promise<Taken> {
  const state = work.snapshot?.();
  if (state instanceof Promise) return state.then((settled: unknown) => ({ state: settled, isChanges: false }));
  return { state, isChanges: false };
}

/**
 * Takes over the state of an earlier life: what comes next is the task after the newest checkpoint's last one.
 *
 * @param saved - checkpoints that stand on one another: first one that holds all of the state
 * @returns how the channel had ended before its step got another number of channels, if it had
 */
export async function restoreState(
  parts: ChannelParts,
  tasks: Tasks,
  saved: readonly Uint8Array[],
): Promise<ChannelSnapshot["ended"]> {
  const { work, inputs, outputs, ctx, metrics } = parts;
  // Given up while its checkpoints were fetched.
  if (tasks.stopped) return undefined;
  // Undecoded, states take little room: they become objects one at a time.
  const newest = decodeSnapshot(saved.at(-1) as Uint8Array);
  tasks.seq = newest.seq;
  inputs.restore(newest.inputs);
  outputs.restore(newest.outputs);
  if (work instanceof LoopWork && newest.loop !== undefined) {
    work.loop.restore(newest.loop);
    metrics.round = work.loop.roundShown;
  }
  Object.assign(metrics.counters, newest.counters);
  metrics.before = newest.counts;
  if (newest.stateless === true) {
    if (newest.timers !== undefined) ctx.restoreTimers(newest.timers);
    return newest.ended;
  }
  if (!(work instanceof ReaderWork)) {
    if (work instanceof SinkWork && isKeptWrites(newest.state)) {
      await writeAgain(work, ctx, newest.state, newest.seq);
      return newest.ended;
    }
    const [base, ...changes] = saved;
    await restoreWhole(work, ctx, changes.length === 0 ? newest : decodeSnapshot(base as Uint8Array));
    for (const each of changes) apply(work, ctx, each === changes.at(-1) ? newest : decodeSnapshot(each));
    return newest.ended;
  }
  if (newest.reading === undefined) return newest.ended;
  ctx.begin(newest.seq);
  const reading = work.restore(newest.reading, ctx);
  // A life that is given up meanwhile closes it, and then it ends here.
  tasks.output = reading?.output;
  for (let left = reading?.skip ?? 0; left > 0; left--) {
    const pulled = reading?.output.pull();
    // oxlint-disable-next-line no-await-in-loop -- a source is read in its order
    const value = pulled instanceof Promise ? await pulled : pulled;
    if (value === undefined) throw differs("read a split that ends early", "read more of it");
  }
  return undefined;
}

/** A sink that saves no state gets again what was written to it before its producers were others. */
async function writeAgain(
  work: SinkWork,
  ctx: ChannelParts["ctx"],
  writes: KeptWrites,
  newestSeq: number,
): Promise<void> {
  for await (const { seq, objects } of writesOf(writes)) {
    ctx.seq = seq;
    await work.execute("in", objects, ctx);
    // The log had them: their numbers in it are those of earlier channels.
    work.committed(newestSeq, seq);
  }
}

function restoreWhole(work: Work, ctx: ChannelParts["ctx"], { state, timers }: ChannelSnapshot): void | Promise<void> {
  ctx.restoreTimers(timers);
  return work.restore(state);
}

function apply(work: Work, ctx: ChannelParts["ctx"], { seq, state, timers }: ChannelSnapshot): void {
  if (work.apply === undefined) {
    throw new QStreamError("NOT_RECOVERABLE", `the checkpoint after task ${seq} holds changes, which nothing takes`, {
      advice: "Give the operator apply(changes) again; an earlier checkpoint is tried that holds all of the state",
    });
  }
  work.apply(state);
  if (timers !== undefined) ctx.changeTimers(timers);
}

/** What a checkpoint says of timers. */
function takeTimers({ ctx, work }: ChannelParts, isChanges: boolean): ChannelSnapshot["timers"] {
  const timers = ctx.pendingTimers;
  const taken = isChanges ? timers?.changes() : timers?.list();
  timers?.saved(!(work instanceof ReaderWork) && work.changes !== undefined);
  return taken === undefined || taken.length === 0 ? undefined : taken;
}

function save(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints, taken: Taken): Promise<boolean> {
  const snapshot = snapshotOf(parts, tasks, taken);
  return checkpoints.save(snapshot, positionsOf(parts, snapshot.inputs), parts.metrics.busyMs, taken.isChanges);
}

function snapshotOf(parts: ChannelParts, tasks: Tasks, { state, isChanges }: Taken): ChannelSnapshot {
  const { inputs, outputs, work, metrics } = parts;
  return {
    seq: tasks.seq,
    inputs: inputs.positions(),
    outputs: outputs.positions(),
    reading: work instanceof ReaderWork ? work.place(tasks.output !== undefined) : undefined,
    state,
    ...(work instanceof LoopWork ? { loop: work.loop.state() } : {}),
    timers: takeTimers(parts, isChanges),
    counters: metrics.counters,
    counts: countsOf(metrics),
  };
}
