import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { Refusal } from "./refusal.ts";
import {
  askToAcknowledge,
  encodeAcknowledgement,
  encodeWireMessage,
  type Fragments,
  type WireMessage,
} from "./wire-message.ts";

/** A connection with another machine. */
export interface Connection {
  readonly socket: WebSocket;
  /** What it runs on: says how many bytes have come, also while a large message is on its way. */
  readonly stream: Socket;
}

interface Kept {
  readonly fragments: Fragments;
  readonly bytes: number;
  /** Gives the payload's memory back. */
  readonly release: (() => void) | undefined;
}

// What keeping a message costs beside its bytes.
const keptMessageBytes = 256;
// What a socket may hold that the system hasn't taken yet. The rest waits here, where it isn't masked, which makes a copy.
const writeAheadBytes = 8 * 2 ** 20;

/**
 * One direction of what two machines say to each other, at the sender's end: messages are numbered and kept until the other
 * end has them, so that another connection can go on where one broke. How much is kept is bounded by the credit of links.
 */
export class SendingLane {
  #last = 0;
  readonly #kept: Kept[] = [];
  /** How many of those kept were written to the socket. */
  #written = 0;
  /** The socket holds enough, and says when it doesn't. */
  #held = false;
  #socket: WebSocket | undefined;
  #stream: Socket | undefined;
  /** What it was told to gather until the end of this turn. */
  #corked: Socket | undefined;
  /** Bytes that the other end hasn't acknowledged. */
  bytesKept = 0;
  /** Messages that were sent a second time, over another connection. */
  resent = 0;

  /** @throws QStreamError LIMIT_EXCEEDED for what no message can hold */
  send(message: WireMessage): void {
    const fragments = encodeWireMessage(this.#last + 1, message);
    this.#last++;
    const bytes = fragments[0].byteLength + (fragments[1]?.byteLength ?? 0) + keptMessageBytes;
    const release = message.kind === "link" ? message.payload?.release : undefined;
    this.#kept.push({ fragments, bytes, release });
    this.bytesKept += bytes;
    this.#write();
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Number of the last message. */
  get last(): number {
    return this.#last;
  }

  /** Number of the last message that was sent over the connection, or came over one before. */
  get sentThrough(): number {
    return this.acknowledgedThrough + this.#written;
  }

  /** Number of the last message that the other end has acknowledged. */
  get acknowledgedThrough(): number {
    return this.#last - this.#kept.length;
  }

  /**
   * Goes on over another connection.
   *
   * @param received - number of the last message that the other end has
   * @throws Refusal where the other end claims to have what was never sent
   */
  attach({ socket, stream }: Connection, received: number): void {
    this.acknowledged(received);
    this.#socket = socket;
    this.#stream = stream;
    this.resent += this.#written;
    this.#written = 0;
    this.#held = false;
    this.#write();
  }

  detach(socket: WebSocket): void {
    if (this.#socket === socket) this.#socket = undefined;
  }

  /** @throws Refusal */
  acknowledged(through: number): void {
    const count = through - this.acknowledgedThrough;
    if (!(count >= 0 && count <= this.#kept.length)) {
      const first = this.acknowledgedThrough + 1;
      throw new Refusal("acknowledgement", `messages ${first} to ${this.#last} are on their way, and not ${through}`);
    }
    for (const { bytes, release } of this.#kept.splice(0, count)) {
      this.bytesKept -= bytes;
      release?.();
    }
    this.#written = Math.max(0, this.#written - count);
  }

  /** Asks the other end to acknowledge what came, instead of when it is much. */
  ask(): void {
    if (this.#kept.length > 0 && this.#socket?.readyState === this.#socket?.OPEN) this.#socket?.send(askToAcknowledge);
  }

  /** Nothing is sent any more. */
  close(): void {
    for (const { release } of this.#kept) release?.();
    this.#kept.length = 0;
    this.#written = 0;
    this.bytesKept = 0;
  }

  #write(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#held || socket.readyState !== socket.OPEN) return;
    for (;;) {
      const next = this.#kept[this.#written];
      if (next === undefined) return;
      this.#written++;
      this.#cork();
      if (socket.bufferedAmount + next.bytes > writeAheadBytes) {
        this.#held = true;
        write(socket, next.fragments, () => {
          if (this.#socket !== socket) return;
          this.#held = false;
          this.#write();
        });
        return;
      }
      write(socket, next.fragments);
    }
  }

  /** All that is sent in one turn goes to the system at once. */
  #cork(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#corked === stream) return;
    this.#corked = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.#corked === stream) this.#corked = undefined;
      stream.uncork();
    });
  }
}

const acknowledgeMessages = 32;
const acknowledgeBytes = 4 * 2 ** 20;

/** The receiver's end of a lane: takes each message once, in order. */
export class ReceivingLane {
  /** Number of the last message that came. */
  received = 0;
  /** Messages that had come before. */
  repeated = 0;
  #acknowledged = 0;
  #bytes = 0;

  /**
   * True for a message that is to be read and taken, false for one that had come before.
   *
   * @throws Refusal for one that follows a gap
   */
  expects(number: number): boolean {
    if (number === this.received + 1) return true;
    if (number > this.received || number < 1) {
      throw new Refusal("number", `message ${number} follows message ${this.received}`);
    }
    this.repeated++;
    return false;
  }

  /**
   * All messages up to a number were sent over the connection: one that is missing, and that none follows, would be for ever.
   *
   * @throws Refusal where not all of them came
   */
  sent(through: number): void {
    if (through > this.received) {
      throw new Refusal("number", `message ${through} was sent, and message ${this.received} came last`);
    }
  }

  /** The message that was expected is there. */
  take(bytes: number): void {
    this.#bytes += bytes;
    this.received++;
  }

  /** Tells the sender what has come: when that is much, or when somebody is asked to. */
  acknowledge(socket: WebSocket, all: boolean): void {
    const news = this.received - this.#acknowledged;
    if (news === 0 || (!all && news < acknowledgeMessages && this.#bytes < acknowledgeBytes)) return;
    if (socket.readyState !== socket.OPEN) return;
    this.#acknowledged = this.received;
    this.#bytes = 0;
    socket.send(encodeAcknowledgement(this.received));
  }
}

/** A message with a payload goes out as two fragments: whoever puts them together doesn't have to copy either. */
function write(socket: WebSocket, [first, second]: Fragments, written?: () => void): void {
  if (second === undefined || second.byteLength === 0) {
    socket.send(first, { binary: true }, written);
    return;
  }
  socket.send(first, { binary: true, fin: false });
  socket.send(second, { binary: true, fin: true }, written);
}
