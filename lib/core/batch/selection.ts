import { QStreamError } from "../errors.ts";

/** Which rows of a chunk are taken, in ascending order: the listed ones, or without a list a run of them. */
export interface Selection {
  /** First row of the run; 0 where rows are listed. */
  readonly from: number;
  readonly count: number;
  readonly rows: Int32Array | undefined;
}

export const wholeOf = (count: number): Selection => ({ from: 0, count, rows: undefined });

/**
 * Sorts the rows of one chunk by channel: counts first, then fills one array, of which each channel gets a part.
 * @param channelOfRow - channels of the whole batch's rows; the chunk's rows are `from` to `from + count`.
 * @throws CHANNEL_OUT_OF_RANGE
 */
export function selectionsByChannel(
  channelOfRow: Uint16Array,
  from: number,
  count: number,
  channels: number,
): Selection[] {
  const counts = countByChannel(channelOfRow, from, count, channels);
  const rows = new Int32Array(count);
  const next = new Int32Array(channels);
  for (let channel = 1; channel < channels; channel++) {
    next[channel] = (next[channel - 1] as number) + (counts[channel - 1] as number);
  }
  const starts = next.slice();
  for (let row = 0; row < count; row++) {
    const channel = channelOfRow[from + row] as number;
    const at = next[channel] as number;
    next[channel] = at + 1;
    rows[at] = row;
  }
  return Array.from(counts, (taken, channel) => {
    if (taken === count) return wholeOf(count);
    const start = starts[channel] as number;
    return { from: 0, count: taken, rows: rows.subarray(start, start + taken) };
  });
}

function countByChannel(channelOfRow: Uint16Array, from: number, count: number, channels: number): Int32Array {
  const counts = new Int32Array(channels);
  for (let row = from; row < from + count; row++) {
    const channel = channelOfRow[row] as number;
    if (channel >= channels) {
      throw new QStreamError(
        "CHANNEL_OUT_OF_RANGE",
        `row ${row} of a batch was sent to channel ${channel} of ${channels}`,
        {
          advice: "A partition function must give channels from 0 up to the number of channels, without that number.",
        },
      );
    }
    counts[channel] = (counts[channel] as number) + 1;
  }
  return counts;
}

/** The elements of variable-length lists that belong to selected rows. `offsets` are read at `row << shift`. */
export function listElements(selection: Selection, offsets: Int32Array, shift: number): Selection {
  const { from, count, rows } = selection;
  if (count === 0) return wholeOf(0);
  if (rows === undefined) {
    const start = offsets[from << shift] as number;
    return { from: start, count: (offsets[(from + count) << shift] as number) - start, rows: undefined };
  }
  let total = 0;
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    total += (offsets[(row + 1) << shift] as number) - (offsets[row << shift] as number);
  }
  const elements = new Int32Array(total);
  let next = 0;
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    const end = offsets[(row + 1) << shift] as number;
    for (let element = offsets[row << shift] as number; element < end; element++) elements[next++] = element;
  }
  return { from: 0, count: total, rows: elements };
}

/** The elements of fixed-size lists that belong to selected rows. */
export function fixedListElements(selection: Selection, size: number): Selection {
  const { from, count, rows } = selection;
  if (rows === undefined) return { from: from * size, count: count * size, rows: undefined };
  const elements = new Int32Array(count * size);
  let next = 0;
  for (let at = 0; at < count; at++) {
    const start = (rows[at] as number) * size;
    for (let element = 0; element < size; element++) elements[next++] = start + element;
  }
  return { from: 0, count: elements.length, rows: elements };
}
