import { Writable } from "node:stream";
import type { Socket } from "node:net";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";

/** What happens to WebSocket messages on their way. Shares are between 0 and 1. */
export interface DisorderOptions {
  readonly seed: number;
  /** Milliseconds that each takes, and how many more at most. */
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Comes out before the one that it follows, where that one is still on its way. */
  readonly swapped: number;
}

export interface DisorderCounts {
  messages: number;
  delayed: number;
  lost: number;
  duplicated: number;
  swapped: number;
}

interface OnItsWay {
  bytes: Buffer;
  readonly dueAt: number;
  /** What isn't a message, as the handshake, keeps its place. */
  isMessage: boolean;
}

const heldBytesMax = 4 << 20;
/** Of the kinds of frames; those behind it are for the connection. */
const lastOfData = 7;

/**
 * Delays, loses, repeats and swaps whole messages of WebSockets without TLS, as drawn from a seed: what no TCP connection does by
 * itself, and the ends have to notice all the same, as the connection goes on.
 */
export class Disorder {
  readonly #options: DisorderOptions;
  readonly #random: Random;
  readonly counts: DisorderCounts = { messages: 0, delayed: 0, lost: 0, duplicated: 0, swapped: 0 };
  /** False: all passes, and takes its time. */
  strikes = true;

  constructor(options: DisorderOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** What is written to it comes out at one end of a connection, in disorder. */
  into(to: Socket): Writable {
    return new DisorderedStream(to, (message, queue) => this.#pass(message, queue));
  }

  #pass(message: Buffer, queue: OnItsWay[]): void {
    const { delayMs, jitterMs, lost, duplicated, swapped } = this.#options;
    const { counts } = this;
    const happens = (share: number): boolean => this.#random() < share && this.strikes;
    counts.messages++;
    if (happens(lost)) {
      counts.lost++;
      return;
    }
    const last = queue.at(-1);
    const forMs = delayMs + this.#random() * jitterMs;
    const entry = { bytes: message, dueAt: Math.max(last?.dueAt ?? 0, performance.now() + forMs), isMessage: true };
    if (forMs > 0) counts.delayed++;
    queue.push(entry);
    if (happens(swapped) && last?.isMessage === true) {
      counts.swapped++;
      [last.bytes, entry.bytes] = [entry.bytes, last.bytes];
    }
    if (!happens(duplicated)) return;
    counts.duplicated++;
    queue.push({ ...entry });
  }
}

/** One direction of a connection: cuts bytes into messages, and sends what comes of them when it is due. */
class DisorderedStream extends Writable {
  readonly #to: Socket;
  readonly #pass: (message: Buffer, queue: OnItsWay[]) => void;
  readonly #queue: OnItsWay[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #form: "handshake" | "messages" | "refusal" = "handshake";
  /** Frames of the message that has begun. */
  readonly #frames: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Who waits for room, or for the end. */
  #waiting: { readonly holdsMost: number; readonly go: () => void } | undefined;

  constructor(to: Socket, pass: (message: Buffer, queue: OnItsWay[]) => void) {
    super();
    this.#to = to;
    this.#pass = pass;
    to.on("drain", () => this.#send());
    to.on("close", () => this.destroy());
  }

  override _write(bytes: Buffer, _encoding: string, written: () => void): void {
    this.#unread = this.#unread.byteLength === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (this.#cut());
    this.#waiting = { holdsMost: heldBytesMax, go: written };
    this.#send();
  }

  override _final(ended: () => void): void {
    this.#waiting = {
      holdsMost: 0,
      go: () => {
        this.#to.end(this.#unread);
        ended();
      },
    };
    this.#send();
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    destroyed(error);
  }

  /** False where more has to come. */
  #cut(): boolean {
    const unread = this.#unread;
    const length = lengths[this.#form](unread);
    if (length === undefined || length > unread.byteLength) return false;
    const bytes = unread.subarray(0, length);
    this.#unread = unread.subarray(length);
    const [first = 0] = bytes;
    if (this.#form === "messages" && (first & 0x0f) <= lastOfData) {
      this.#frames.push(bytes);
      if ((first & 0x80) !== 0) this.#pass(Buffer.concat(this.#frames.splice(0)), this.#queue);
      return true;
    }
    if (this.#form === "handshake")
      this.#form = /^HTTP\/1.1 (?!101)/u.test(bytes.toString("latin1")) ? "refusal" : "messages";
    this.#queue.push({ bytes, dueAt: this.#queue.at(-1)?.dueAt ?? 0, isMessage: false });
    return true;
  }

  #send(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    for (let [next] = this.#queue; next !== undefined && !this.#to.destroyed; [next] = this.#queue) {
      if (this.#to.writableNeedDrain) break;
      if (next.dueAt > now) {
        this.#timer = setTimeout(() => this.#send(), next.dueAt - now);
        break;
      }
      this.#queue.shift();
      this.#to.write(next.bytes);
    }
    const held = this.#queue.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const waiting = this.#waiting;
    if (waiting === undefined || held > waiting.holdsMost) return;
    this.#waiting = undefined;
    waiting.go();
  }
}

/** Bytes of what is next, as far as it can be known. */
const lengths = {
  handshake: handshakeLength,
  messages: frameLength,
  refusal: ({ byteLength }: Buffer): number | undefined => (byteLength === 0 ? undefined : byteLength),
};

/** Bytes of a request or an answer, up to the empty line. */
function handshakeLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  return end < 0 ? undefined : end + 4;
}

/** Bytes of the frame that these begin with. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.byteLength < 2) return undefined;
  const [, second = 0] = bytes;
  const short = second & 0x7f;
  const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.byteLength < headBytes) return undefined;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  return headBytes + (second >= 128 ? 4 : 0) + length;
}
