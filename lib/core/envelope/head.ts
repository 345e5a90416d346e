import { Builder, ByteBuffer } from "flatbuffers";
import type { LinkAddress, LinkMessage } from "../contracts/transport.ts";
import { QStreamError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import { Envelope } from "./generated/envelope.ts";
import { MessageKind } from "./generated/message-kind.ts";
import { PayloadFormat } from "./generated/payload-format.ts";
import { verifyTable, type FieldLayout } from "./verify-table.ts";

/** Version of the envelope. A reader refuses all others: both ends of a link run the same QStream. */
export const envelopeVersion = 2;

/** Bytes that a head may have. It has about 150, and the execution's id. */
export const headBytesMax = 4096;

/** A parcel whose payload is still to come. */
export interface ParcelHead {
  readonly address: LinkAddress;
  readonly seq: number;
  readonly previous: number;
  readonly format: Payload["format"];
  readonly rows: number;
  /** What a packed payload unpacks to; 0 for one that isn't packed. */
  readonly unpackedBytes: number;
}

const formats = {
  columns: PayloadFormat.Columns,
  clone: PayloadFormat.Clone,
  batch: PayloadFormat.Batch,
} as const satisfies Record<Payload["format"], PayloadFormat>;

// As in envelope.fbs: version, kind, execution, edge, from, to, producer, consumer, seq, previous, objects, bytes, format, rows, length, unpacked.
const layout: readonly FieldLayout[] = [1, 1, "string", 4, 4, 4, 4, 4, 8, 8, 8, 8, 1, 8, 8, 8];

// A byte of LZ4 stands for no more than 255.
const unpackedMost = 255;

const executionLengthMax = 1024;
const builder = new Builder(512);

/** Encodes a message without its payload, of so many bytes. The result is valid until the next call. */
export function encodeHead(message: LinkMessage, payloadBytes: number): Uint8Array {
  const { execution } = message;
  if (execution.length > executionLengthMax) {
    throw new QStreamError("LIMIT_EXCEEDED", `the id of an execution has ${execution.length} characters`, {
      advice: `It may have ${executionLengthMax}.`,
    });
  }
  builder.clear();
  const executionAt = builder.createString(execution);
  Envelope.startEnvelope(builder);
  // The widest fields first, so that none needs padding.
  addKind(message, payloadBytes);
  Envelope.addExecution(builder, executionAt);
  Envelope.addEdge(builder, message.edge);
  Envelope.addFrom(builder, message.from);
  Envelope.addTo(builder, message.to);
  Envelope.addProducer(builder, message.producer);
  Envelope.addConsumer(builder, message.consumer);
  if (message.kind === "parcel") Envelope.addPayloadFormat(builder, formats[message.payload.format]);
  Envelope.addKind(builder, kinds[message.kind]);
  Envelope.addVersion(builder, envelopeVersion);
  builder.finish(Envelope.endEnvelope(builder));
  return builder.asUint8Array();
}

const kinds = {
  parcel: MessageKind.Parcel,
  end: MessageKind.End,
  credit: MessageKind.Credit,
  cancel: MessageKind.Cancel,
  open: MessageKind.Open,
} as const satisfies Record<LinkMessage["kind"], MessageKind>;

function addKind(message: LinkMessage, payloadBytes: number): void {
  switch (message.kind) {
    case "parcel":
      Envelope.addSeq(builder, message.seq);
      Envelope.addPrevious(builder, message.previous);
      Envelope.addPayloadRows(builder, message.payload.rows);
      Envelope.addPayloadLength(builder, payloadBytes);
      Envelope.addPayloadUnpacked(builder, message.payload.unpackedBytes ?? 0);
      return;
    case "end":
      Envelope.addPrevious(builder, message.previous);
      return;
    case "open":
      Envelope.addPrevious(builder, message.after);
      Envelope.addObjects(builder, message.objects);
      Envelope.addBytes(builder, message.bytes);
      return;
    case "credit":
      Envelope.addObjects(builder, message.objects);
      Envelope.addBytes(builder, message.bytes);
      return;
    case "cancel":
  }
}

/**
 * Reads a head, checking everything that it says. Parcels come back without their payload.
 *
 * @param bytes - exactly the head
 * @param payloadLength - bytes of payload that the frame announced
 * @throws QStreamError FRAME_INVALID
 */
export function decodeHead(bytes: Uint8Array, payloadLength: number): LinkMessage | ParcelHead {
  verifyTable(bytes, layout);
  const envelope = Envelope.getRootAsEnvelope(new ByteBuffer(bytes));
  check(envelope.version() === envelopeVersion, `version ${envelope.version()} isn't ${envelopeVersion}`);
  const execution = envelope.execution();
  if (execution === null) throw invalid("it names no execution");
  const address = {
    execution,
    edge: envelope.edge(),
    from: envelope.from(),
    to: envelope.to(),
    producer: envelope.producer(),
    consumer: envelope.consumer(),
  };
  const kind = envelope.kind();
  if (kind === MessageKind.Parcel) return decodeParcel(envelope, address, payloadLength);
  check(payloadLength === 0 && envelope.payloadLength() === 0, "only parcels have a payload");
  switch (kind) {
    case MessageKind.End:
      return { ...address, kind: "end", previous: whole(envelope.previous(), -1, "previous") };
    case MessageKind.Open:
      return {
        ...address,
        kind: "open",
        after: whole(envelope.previous(), -1, "after"),
        objects: amount(envelope.objects(), "objects"),
        bytes: amount(envelope.bytes(), "bytes"),
      };
    case MessageKind.Credit:
      return {
        ...address,
        kind: "credit",
        objects: amount(envelope.objects(), "objects"),
        bytes: amount(envelope.bytes(), "bytes"),
      };
    case MessageKind.Cancel:
      return { ...address, kind: "cancel" };
    default:
      throw invalid(`kind ${String(kind)} is unknown`);
  }
}

function decodeParcel(envelope: Envelope, address: LinkAddress, payloadLength: number): ParcelHead {
  const seq = whole(envelope.seq(), 0, "seq");
  const previous = whole(envelope.previous(), -1, "previous");
  check(previous < seq, `parcel ${seq} says that it follows ${previous}`);
  check(envelope.payloadLength() === payloadLength, "it and the frame disagree on the payload's length");
  return {
    address,
    seq,
    previous,
    format: formatOf(envelope.payloadFormat()),
    rows: whole(envelope.payloadRows(), 0, "rows"),
    unpackedBytes: unpackedOf(envelope.payloadUnpacked(), payloadLength),
  };
}

function unpackedOf(unpacked: number, packed: number): number {
  const bytes = whole(unpacked, 0, "unpacked");
  check(bytes === 0 || (bytes > packed && bytes <= unpackedMost * packed), `${packed} bytes don't unpack to ${bytes}`);
  return bytes;
}

function formatOf(format: PayloadFormat): Payload["format"] {
  switch (format) {
    case PayloadFormat.Columns:
      return "columns";
    case PayloadFormat.Clone:
      return "clone";
    case PayloadFormat.Batch:
      return "batch";
    default:
      throw invalid(`payload format ${format} is unknown`);
  }
}

function whole(value: number, min: number, what: string): number {
  check(Number.isSafeInteger(value) && value >= min, `${what} is ${value}`);
  return value;
}

function amount(value: number, what: string): number {
  check(Number.isFinite(value) && value >= 0, `${what} is ${value}`);
  return value;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw invalid(what);
}

function invalid(what: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `the head of a frame is wrong: ${what}`);
}
