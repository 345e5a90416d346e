import type { ChannelParts } from "./channel-parts.ts";
import type { ChannelSnapshot } from "./channel-snapshot.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { differs } from "./logged-output.ts";
import { ReaderWork } from "./reader-work.ts";
import type { Tasks } from "./tasks.ts";

/** Saves a channel's state between two tasks, if it is time and the state can be saved. */
export function saveState(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints): void | Promise<void> {
  const { work, metrics } = parts;
  if (!checkpoints.due(tasks.seq, metrics.busyMs)) return undefined;
  if (work instanceof ReaderWork) return save(parts, tasks, checkpoints, undefined);
  // An operator that has more to give is in the middle of something.
  if (work.snapshot === undefined || tasks.output !== undefined) return undefined;
  const state = work.snapshot();
  if (!(state instanceof Promise)) return save(parts, tasks, checkpoints, state);
  return state.then((settled) => save(parts, tasks, checkpoints, settled));
}

/** Takes over the state of an earlier life: what comes next is the task after the snapshot's last one. */
export async function restoreState(parts: ChannelParts, tasks: Tasks, snapshot: ChannelSnapshot): Promise<void> {
  const { work, inputs, outputs, ctx, metrics } = parts;
  tasks.seq = snapshot.seq;
  inputs.restore(snapshot.inputs);
  outputs.restore(snapshot.outputs);
  Object.assign(metrics.counters, snapshot.counters);
  if (!(work instanceof ReaderWork)) {
    await work.restore(snapshot.state);
    return;
  }
  if (snapshot.reading === undefined) return;
  ctx.begin(snapshot.seq);
  const reading = work.restore(snapshot.reading, ctx);
  for (let left = reading?.skip ?? 0; left > 0; left--) {
    const pulled = reading?.output.pull();
    // oxlint-disable-next-line no-await-in-loop -- a source is read in its order
    const value = pulled instanceof Promise ? await pulled : pulled;
    if (value === undefined) throw differs("read a split that ends early", "read more of it");
  }
  tasks.output = reading?.output;
}

function save(parts: ChannelParts, tasks: Tasks, checkpoints: Checkpoints, state: unknown): void {
  const { inputs, inputEdges, outputs, work, metrics } = parts;
  const { counters, busyMs } = metrics;
  const positions = inputs.positions();
  const snapshot = {
    seq: tasks.seq,
    inputs: positions,
    outputs: outputs.positions(),
    reading: work instanceof ReaderWork ? work.place(tasks.output !== undefined) : undefined,
    state,
    counters,
  };
  const consumed = positions.flatMap((position, input) =>
    position.consumed.map(([other, seq]) => ({ edge: inputEdges[input]?.edge ?? -1, other, seq })),
  );
  const made = outputs.links.flatMap(({ edge, to, madeSeq }) => (madeSeq < 0 ? [] : { edge, other: to, seq: madeSeq }));
  checkpoints.save(snapshot, { consumed, made }, busyMs);
}
