import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { LinkMessage } from "../../../lib/core/contracts/transport.ts";
import { decodeFrame, encodeFrame, frameBytesMaxDefault } from "../../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { checkPacked } from "../compression.ts";
import { Refusal } from "./refusal.ts";
import type { SharedPayload } from "../shared-ring.ts";

/*
 * What one machine sends to another is a message of a WebSocket, in one fragment or two. The first begins, little-endian:
 *   0  32 bits  CRC-32 of what follows, up to a frame's head, which has one of its own
 *   4   8 bits  kind: 1 a link's message, 2 something that a machine tells, 3 acknowledgement, 4 sign of life,
 *               5 the receiver is asked to dial for parcels, 6 the receiver is asked to acknowledge
 *   5  48 bits  number of the message in its lane, from 1; of an acknowledgement, up to where all messages came; of a sign of life,
 *               up to where all were sent over this connection, or came, if its other end sends them; else 0
 * A link's message goes on with the lengths of two names, 8 bits each, the slot that it is for and the slot that it is from, both
 * in UTF-8, and a frame's head, which has the checksum of the payload; that is the second fragment, so that nobody has to copy it.
 * What a machine tells is structured clone, in the second fragment, and its CRC-32 the rest of the first. Numbers last for nine
 * years of a million messages a second.
 */
const startBytes = 11;
const checkedFrom = 4;
const slotNameBytesMax = 255;

const kinds = { link: 1, tell: 2, acknowledge: 3, alive: 4, dial: 5, ask: 6 } as const;

/** What a machine tells another: anything that structured clone can carry, and of a kind. */
export interface Told {
  readonly kind: string;
}

/** What a machine sends to another. */
export type WireMessage =
  | {
      readonly kind: "link";
      readonly to: string;
      readonly from: string;
      readonly message: LinkMessage;
      /** The message's payload, where it is somewhere else. */
      readonly payload?: SharedPayload | undefined;
    }
  | { readonly kind: "tell"; readonly content: Told }
  /** The receiver is asked to dial for parcels. */
  | { readonly kind: "dial" };

/** What a message begins with. */
export interface Start {
  readonly kind: "message" | "acknowledge" | "alive" | "ask";
  readonly number: number;
}

/** The fragments of a message. The payload of a parcel is the message's own buffer. */
export type Fragments = readonly [Uint8Array] | readonly [Uint8Array, Uint8Array];

/** Bytes that a message may have beside the payload of its frame. */
const wireHeadBytesMax = 8192;

/** Bytes that a message may have. */
export const wireBytesMax: number = frameBytesMaxDefault + wireHeadBytesMax;

/** @throws QStreamError LIMIT_EXCEEDED for what no message can hold */
export function encodeWireMessage(number: number, message: WireMessage): Fragments {
  if (message.kind === "tell") return encodeTell(number, message.content);
  if (message.kind === "dial") return [seal(start(kinds.dial, number, 0), startBytes)];
  const { head, payload } = encodeFrame(message.message, { payload: message.payload?.bytes });
  const to = Buffer.from(message.to);
  const from = Buffer.from(message.from);
  if (to.byteLength > slotNameBytesMax || from.byteLength > slotNameBytesMax) {
    throw new QStreamError("OPTION_INVALID", `the name of slot ${message.to} or ${message.from} is too long`, {
      advice: `It may have ${slotNameBytesMax} bytes.`,
    });
  }
  const headAt = startBytes + 2 + to.byteLength + from.byteLength;
  const first = start(kinds.link, number, headAt - startBytes + head.byteLength);
  first[startBytes] = to.byteLength;
  first[startBytes + 1] = from.byteLength;
  first.set(to, startBytes + 2);
  first.set(from, headAt - from.byteLength);
  first.set(head, headAt);
  seal(first, headAt);
  return payload === undefined ? [first] : [first, payload];
}

function encodeTell(number: number, content: Told): Fragments {
  const second = serialize(content);
  if (second.byteLength > frameBytesMaxDefault) {
    throw new QStreamError("LIMIT_EXCEEDED", `a machine can't tell another ${second.byteLength} bytes at once`, {
      advice: "Results of that size are for a file: write them with a sink, for example toParquet",
    });
  }
  const first = start(kinds.tell, number, 4);
  new DataView(first.buffer).setUint32(startBytes, crc32(second), true);
  return [seal(first, first.byteLength), second];
}

export function encodeAcknowledgement(through: number): Uint8Array {
  return seal(start(kinds.acknowledge, through, 0), startBytes);
}

/** The receiver hears that this machine lives, and how far it is: with what it has sent, or with what came. */
export function encodeSignOfLife(through: number): Uint8Array {
  return seal(start(kinds.alive, through, 0), startBytes);
}

/** The receiver is asked to acknowledge at once what has come. */
export const askToAcknowledge: Uint8Array = seal(start(kinds.ask, 0, 0), startBytes);

/**
 * Reads what a message begins with.
 *
 * @throws Refusal
 */
export function readStart(fragments: readonly Uint8Array[]): Start {
  const [first, second] = fragments;
  if (first === undefined || first.byteLength < startBytes) throw new Refusal("message", "it has no head");
  if (fragments.length > 2) throw new Refusal("message", `it has ${fragments.length} fragments`);
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const kind = view.getUint8(4);
  const checkedTo = kind === kinds.link ? headOf(first) : first.byteLength;
  if (crc32(first.subarray(checkedFrom, checkedTo)) !== view.getUint32(0, true)) {
    throw new Refusal("message", "its checksum is wrong");
  }
  const number = view.getUint32(5, true) + view.getUint16(9, true) * 2 ** 32;
  if (kind === kinds.link || kind === kinds.tell) return { kind: "message", number };
  if (second !== undefined || first.byteLength !== startBytes) throw new Refusal("message", "it goes on");
  switch (kind) {
    case kinds.dial:
      return { kind: "message", number };
    case kinds.acknowledge:
      return { kind: "acknowledge", number };
    case kinds.alive:
      return { kind: "alive", number };
    case kinds.ask:
      return { kind: "ask", number };
    default:
      throw new Refusal("message", `its kind is ${kind}`);
  }
}

/**
 * Reads a message whose start is right, checking everything that it says. Structured clone is read: only from a connection
 * whose other end has shown the token.
 *
 * @throws Refusal
 */
export function readMessage(fragments: readonly Uint8Array[]): WireMessage {
  const [first = new Uint8Array(startBytes), second] = fragments;
  switch (first[checkedFrom]) {
    case kinds.tell:
      return { kind: "tell", content: contentOf(first, second) };
    case kinds.dial:
      return { kind: "dial" };
    default:
      return readLink(first, second);
  }
}

function readLink(first: Uint8Array, payload: Uint8Array | undefined): WireMessage {
  const headAt = headOf(first);
  const fromAt = startBytes + 2 + (first[startBytes] ?? 0);
  const bytes = Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  let message: LinkMessage;
  try {
    message = decodeFrame(first.subarray(headAt), payload);
    // It is unpacked where it goes: there it can't be asked for again.
    if (message.kind === "parcel" && message.payload.unpackedBytes !== undefined) {
      checkPacked(message.payload.bytes, message.payload.unpackedBytes);
    }
  } catch (cause) {
    throw new Refusal("frame", (cause as Error).message, cause);
  }
  return {
    kind: "link",
    to: bytes.toString("utf8", startBytes + 2, fromAt),
    from: bytes.toString("utf8", fromAt, headAt),
    message,
  };
}

/** Where the head of a link's frame begins. */
function headOf(first: Uint8Array): number {
  const headAt = startBytes + 2 + (first[startBytes] ?? 0) + (first[startBytes + 1] ?? 0);
  if (first.byteLength < headAt || first.byteLength > wireHeadBytesMax) {
    throw new Refusal("message", `it has ${first.byteLength} bytes beside its payload`);
  }
  return headAt;
}

function contentOf(first: Uint8Array, second: Uint8Array | undefined): Told {
  if (second === undefined || first.byteLength !== startBytes + 4)
    throw new Refusal("tell", "what it tells is missing");
  const checksum = new DataView(first.buffer, first.byteOffset, first.byteLength).getUint32(startBytes, true);
  if (crc32(second) !== checksum) throw new Refusal("tell", "the checksum of what it tells is wrong");
  let content: unknown;
  try {
    content = deserialize(second);
  } catch (cause) {
    throw new Refusal("tell", "what it tells is no structured clone", cause);
  }
  if (!isTold(content)) throw new Refusal("tell", "what it tells has no kind");
  return content;
}

function isTold(content: unknown): content is Told {
  return typeof content === "object" && content !== null && "kind" in content && typeof content.kind === "string";
}

function start(kind: number, number: number, more: number): Uint8Array {
  const bytes = new Uint8Array(startBytes + more);
  const view = new DataView(bytes.buffer);
  view.setUint8(4, kind);
  view.setUint32(5, number % 2 ** 32, true);
  view.setUint16(9, Math.floor(number / 2 ** 32), true);
  return bytes;
}

function seal(first: Uint8Array, checkedTo: number): Uint8Array {
  new DataView(first.buffer).setUint32(0, crc32(first.subarray(checkedFrom, checkedTo)), true);
  return first;
}
