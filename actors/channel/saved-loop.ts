import type { ChannelParts } from "./channel-parts.ts";
import { encodeSnapshot, type ChannelSnapshot } from "./channel-snapshot.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { CapturedParcels } from "./feedback-queue.ts";
import type { InputPosition } from "./inputs.ts";
import { positionsOf } from "./link-positions.ts";
import type { LoopWork } from "./loop-work.ts";
import type { Loop } from "./loop.ts";
import type { Parcel } from "./parcel.ts";
import { encodeContent } from "./spool.ts";
import type { Tasks } from "./tasks.ts";

/**
 * How a loop's channel saves its state now, if it does: by itself, while nothing was fed back; later where all channels do, so that
 * the states fit together: nothing that one has sent is missing from another's.
 *
 * `on-its-way`: what is on its way to the channel belongs to its state, as in a loop without rounds some always is.
 */
export function savingOf(
  { loop }: LoopWork,
  { metrics }: ChannelParts,
  tasks: Tasks,
  checkpoints: Checkpoints,
): "no" | "now" | "on-its-way" {
  if (loop.takeRefusal()) checkpoints.postpone();
  if (loop.saves) {
    if (tasks.output !== undefined) return "no";
    loop.saved();
    return loop.isByRound ? "now" : "on-its-way";
  }
  return loop.isBeforeFeedback && checkpoints.due(tasks.seq, metrics.busyMs) ? "now" : "no";
}

/** Saves a state that was taken behind the channel's own mark, once all marks have come that were sent with it. */
export function saveCaptured(
  parts: ChannelParts,
  checkpoints: Checkpoints,
  { edge, marked }: Loop,
  taken: ChannelSnapshot,
): void {
  const { inputs, inputEdges, metrics, clock } = parts;
  const startedAt = clock.monotonic();
  const before = encodeSnapshot(taken);
  const made = positionsOf(parts, taken.inputs).made;
  const workMs = metrics.busyMs;
  const input = inputEdges.findIndex((each) => each.edge === edge);
  checkpoints.waits(clock.monotonic() - startedAt);
  inputs.capture(marked, (captured) => {
    checkpoints.goesOn();
    // Too much was on its way: an earlier state stays the newest.
    if (captured === undefined) return;
    const throughMarks = taken.inputs.map((position, index) =>
      index === input ? withWaiting(position, captured) : position,
    );
    const atMarks = throughMarks.map((position, index) =>
      index === input ? { ...position, consumed: [...captured.marks] } : position,
    );
    const snapshot = { seq: taken.seq, before, inputs: throughMarks, outputs: taken.outputs, counters: {} } as const;
    const { consumed } = positionsOf(parts, atMarks);
    void checkpoints.save({ ...snapshot, reading: undefined, state: undefined }, { consumed, made }, workMs, false);
  });
}

function withWaiting(position: InputPosition, { parcels }: CapturedParcels): InputPosition {
  return { ...position, waiting: parcels.map(encoded) };
}

/** A parcel as a checkpoint holds it: objects that pass by reference are encoded. */
function encoded(parcel: Parcel): Parcel {
  const { from, seq, previous, rows, columnar, content } = parcel;
  const { format, bytes } = "payload" in content ? content.payload : encodeContent(content.objects);
  return {
    from,
    seq,
    previous,
    rows,
    bytes: bytes.byteLength,
    columnar,
    content: { payload: { format, rows, bytes } },
  };
}
