import { QStreamError } from "../../lib/core/errors.ts";

/** Bytes from which records of one commit are kept in several groups: one that is read, or written over, is never large. */
const groupBytes = 32 << 10;
const numberBytes = 4;

/** Consecutive records of a channel as one value: a store pays for each value that it keeps. */
export interface RecordGroup {
  readonly lastSeq: number;
  readonly bytes: Uint8Array;
}

/** Records of a channel from `firstSeq` on, in groups: 32 bits count, 32 bits length of each, the records. */
export function packRecords(firstSeq: number, records: readonly Uint8Array[]): RecordGroup[] {
  const groups: RecordGroup[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    bytes += record.byteLength;
    if (bytes < groupBytes && index < records.length - 1) continue;
    groups.push({ lastSeq: firstSeq + index, bytes: pack(records.slice(from, index + 1), bytes) });
    from = index + 1;
    bytes = 0;
  }
  return groups;
}

/** The records of a group, with their seqs. */
export function unpackRecords({
  lastSeq,
  bytes,
}: RecordGroup): { readonly seq: number; readonly record: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength < numberBytes ? 0 : view.getUint32(0, true);
  let end = numberBytes * (1 + count);
  if (count === 0 || end > bytes.byteLength) throw damaged(lastSeq);
  return Array.from({ length: count }, (_, index) => {
    const start = end;
    end += view.getUint32(numberBytes * (1 + index), true);
    if (end > bytes.byteLength) throw damaged(lastSeq);
    return { seq: lastSeq - count + 1 + index, record: bytes.slice(start, end) };
  });
}

function pack(records: readonly Uint8Array[], recordBytes: number): Uint8Array {
  let end = numberBytes * (1 + records.length);
  const bytes = new Uint8Array(end + recordBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, records.length, true);
  for (const [index, record] of records.entries()) {
    view.setUint32(numberBytes * (1 + index), record.byteLength, true);
    bytes.set(record, end);
    end += record.byteLength;
  }
  return bytes;
}

function damaged(lastSeq: number): QStreamError {
  return new QStreamError("FRAME_INVALID", `the records of tasks up to ${lastSeq} are cut`);
}
