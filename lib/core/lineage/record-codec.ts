import { crc32 } from "node:zlib";
import { Builder, ByteBuffer } from "flatbuffers";
import type { Cause, Consumed, Produced, TaskRecord } from "../contracts/lineage.ts";
import { verifyTable, type FieldLayout } from "../envelope/verify-table.ts";
import { QStreamError } from "../errors.ts";
import { CauseKind } from "./generated/cause-kind.ts";
import { ConsumedRun } from "./generated/consumed-run.ts";
import { ProducedPart } from "./generated/produced-part.ts";
import { Record } from "./generated/record.ts";
import { checksumBytes, consumedBytes, producedBytes, RecordTemplates, sealed } from "./record-template.ts";

const version = 3;
// What one record took is kept for the next, unless it is much.
const builderBytes = 1024;
const builderBytesMax = 256 * 1024;
let builder = new Builder(builderBytes);
const templates = new RecordTemplates((record) => build(record, true));

// As in record.fbs: seq, now, position, split, count, taken, input, consumed, produced, version, cause, more, content,
// has_now, error.
const layout: readonly FieldLayout[] = [
  8,
  8,
  8,
  4,
  4,
  4,
  "string",
  { structBytes: consumedBytes },
  { structBytes: producedBytes },
  1,
  1,
  1,
  { structBytes: 1 },
  1,
  "string",
];

const kinds = {
  read: CauseKind.Read,
  parcels: CauseKind.Parcels,
  "input-end": CauseKind.InputEnd,
  continue: CauseKind.Continue,
  done: CauseKind.Done,
  stop: CauseKind.Stop,
  skip: CauseKind.Skip,
  timer: CauseKind.Timer,
  round: CauseKind.Round,
  mark: CauseKind.Mark,
} as const satisfies { [Kind in Cause["kind"]]: CauseKind };

/**
 * A record as bytes, the last four of which are the CRC-32 of the others: about 84 for a task that read or took parcels of one
 * link, and 16 for each link that it sent on.
 */
export function encodeRecord(record: TaskRecord): Uint8Array {
  return templates.encode(record) ?? sealed(build(record, false));
}

/** @param allFields - whether fields are written that have their default */
function build(record: TaskRecord, allFields: boolean): Uint8Array {
  const { cause } = record;
  builder.clear();
  builder.forceDefaults(allFields);
  const input = nameIn(cause);
  const consumed = record.consumed.length === 0 ? 0 : encodeConsumed(record.consumed);
  const produced = record.produced.length === 0 ? 0 : encodeProduced(record.produced);
  const error = cause.kind === "skip" ? builder.createString(cause.error) : 0;
  const content = record.content === undefined ? 0 : builder.createByteVector(record.content);
  Record.startRecord(builder);
  // The widest fields first, so that none needs padding.
  Record.addSeq(builder, record.seq);
  if (record.now !== undefined) Record.addNow(builder, record.now);
  if (cause.kind === "read") {
    Record.addPosition(builder, cause.position);
    Record.addSplit(builder, cause.split);
    Record.addCount(builder, cause.count);
  }
  if (cause.kind === "round" || cause.kind === "mark") Record.addPosition(builder, cause.number);
  if (cause.kind === "mark") Record.addCount(builder, cause.flags);
  Record.addTaken(builder, record.taken);
  if (input !== 0) Record.addInput(builder, input);
  if (consumed !== 0) Record.addConsumed(builder, consumed);
  if (produced !== 0) Record.addProduced(builder, produced);
  if (content !== 0) Record.addContent(builder, content);
  if (error !== 0) Record.addError(builder, error);
  Record.addVersion(builder, version);
  Record.addCause(builder, kinds[cause.kind]);
  Record.addMore(builder, record.more);
  if (record.now !== undefined) Record.addHasNow(builder, true);
  builder.finish(Record.endRecord(builder));
  // The builder's bytes are written over by the next record.
  const bytes = builder.asUint8Array().slice();
  if (builder.dataBuffer().capacity() > builderBytesMax) builder = new Builder(builderBytes);
  return bytes;
}

/**
 * Reads a record, checking all that it says.
 *
 * @throws QStreamError FRAME_INVALID
 */
export function decodeRecord(bytes: Uint8Array): TaskRecord {
  const table = bytes.subarray(0, Math.max(0, bytes.byteLength - checksumBytes));
  if (crc32(table) !== checksumOf(bytes)) throw invalid("its checksum isn't that of its bytes");
  verifyTable(table, layout);
  const record = Record.getRootAsRecord(new ByteBuffer(table));
  if (record.version() !== version) throw invalid(`version ${record.version()} isn't ${version}`);
  return {
    seq: whole(record.seq(), "seq"),
    cause: causeOf(record),
    consumed: consumedOf(record),
    produced: producedOf(record),
    taken: record.taken(),
    more: record.more(),
    content: record.contentArray()?.slice(),
    now: record.hasNow() ? time(record.now()) : undefined,
  };
}

function checksumOf(bytes: Uint8Array): number {
  if (bytes.byteLength < checksumBytes) throw invalid(`it has ${bytes.byteLength} bytes`);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.byteLength - checksumBytes, true);
}

/** What a cause names: an input, of which a flow has few, or a timer, of which there may be one for each key. */
function nameIn(cause: Cause): number {
  if (cause.kind === "timer") return builder.createString(cause.name);
  return "input" in cause ? builder.createString(utf8Of(cause.input)) : 0;
}

const encoder = new TextEncoder();
// The few names of a flow's inputs, which most records hold one of.
const known = new Map<string, Uint8Array>();
const knownMax = 1000;

function utf8Of(name: string): Uint8Array {
  let bytes = known.get(name);
  if (bytes !== undefined) return bytes;
  if (known.size >= knownMax) known.clear();
  known.set(name, (bytes = encoder.encode(name)));
  return bytes;
}

// Vectors are built from their ends.
function encodeConsumed(runs: readonly Consumed[]): number {
  Record.startConsumedVector(builder, runs.length);
  for (let at = runs.length - 1; at >= 0; at--) {
    const { firstSeq, lastSeq, edge, from } = runs[at] as Consumed;
    ConsumedRun.createConsumedRun(builder, firstSeq, lastSeq, edge, from);
  }
  return builder.endVector();
}

function encodeProduced(parts: readonly Produced[]): number {
  Record.startProducedVector(builder, parts.length);
  for (let at = parts.length - 1; at >= 0; at--) {
    const { edge, to, objects, checksum } = parts[at] as Produced;
    ProducedPart.createProducedPart(builder, edge, to, objects, checksum);
  }
  return builder.endVector();
}

function causeOf(record: Record): Cause {
  const kind = record.cause();
  switch (kind) {
    case CauseKind.Read:
      return {
        kind: "read",
        split: record.split(),
        position: whole(record.position(), "position"),
        count: record.count(),
      };
    case CauseKind.Parcels:
      return { kind: "parcels", input: nameOf(record) };
    case CauseKind.InputEnd:
      return { kind: "input-end", input: nameOf(record) };
    case CauseKind.Skip:
      return { kind: "skip", input: nameOf(record), error: record.error() ?? "" };
    case CauseKind.Timer:
      return { kind: "timer", name: nameOf(record) };
    case CauseKind.Continue:
      return { kind: "continue" };
    case CauseKind.Round:
      return { kind: "round", number: whole(record.position(), "number") };
    case CauseKind.Mark:
      return { kind: "mark", number: whole(record.position(), "number"), flags: record.count() };
    case CauseKind.Done:
      return { kind: "done" };
    case CauseKind.Stop:
      return { kind: "stop" };
    default:
      throw invalid(`cause ${String(kind)} is unknown`);
  }
}

function nameOf(record: Record): string {
  const name = record.input();
  if (name === null) throw invalid("it names no input, and no timer");
  return name;
}

function consumedOf(record: Record): Consumed[] {
  return Array.from({ length: record.consumedLength() }, (_, index) => {
    const run = record.consumed(index);
    if (run === null) throw invalid("what it consumed is cut");
    const firstSeq = whole(run.firstSeq(), "firstSeq");
    return { edge: run.edge(), from: run.from(), firstSeq, lastSeq: whole(run.lastSeq(), "lastSeq") };
  });
}

function producedOf(record: Record): Produced[] {
  return Array.from({ length: record.producedLength() }, (_, index) => {
    const part = record.produced(index);
    if (part === null) throw invalid("what it made is cut");
    return { edge: part.edge(), to: part.to(), objects: part.objects(), checksum: part.checksum() };
  });
}

function whole(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(`${what} is ${value}`);
}

function time(value: number): number {
  if (Number.isFinite(value)) return value;
  throw invalid(`now is ${value}`);
}

function invalid(what: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `the record of a task is wrong: ${what}`);
}
