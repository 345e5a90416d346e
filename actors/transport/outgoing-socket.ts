import { connect, type Socket } from "node:net";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { encodeEndMark, encodeFrame, FrameReader } from "../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../lib/core/errors.ts";

// What waits for the end of the loop's iteration is written at once when it has grown to this.
const batchBytes = 256 * 1024;
// Payloads up to this are copied together with heads: one long write costs less than many short ones.
const joinBytes = 8 * 1024;
const highWaterMark = 1 << 20;

export interface OutgoingSocketOptions {
  readonly path: string;
  /** The first bytes, which say who dials. */
  readonly hello: Uint8Array;
  /** The socket broke without the other slot having said that it closes. */
  readonly lost: (cause: Error) => void;
}

interface QueuedFrame {
  readonly head: Uint8Array;
  readonly payload: Uint8Array | undefined;
}

/** The way to one other slot. It only sends; all that comes back is the end mark of a slot that closes. */
export class OutgoingSocket {
  readonly #options: OutgoingSocketOptions;
  readonly #socket: Socket;
  readonly #replies = new FrameReader();
  readonly #closed: Promise<void>;
  #queue: QueuedFrame[] = [];
  #queuedBytes = 0;
  #state: "connecting" | "open" | "closing" | "closed" = "connecting";
  #scheduled = false;
  #error: Error | undefined;
  /** Messages that weren't sent because the other slot was gone. */
  undelivered = 0;

  constructor(options: OutgoingSocketOptions) {
    this.#options = options;
    const socket = connect({ path: options.path, writableHighWaterMark: highWaterMark } as { path: string });
    this.#socket = socket;
    socket.on("connect", () => this.#connected());
    socket.on("drain", () => this.#flush());
    socket.on("data", (chunk) => this.#replied(chunk));
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#ended();
        resolve();
      });
    });
  }

  send(message: LinkMessage): void {
    if (this.#state === "closing" || this.#state === "closed") {
      this.undelivered++;
      return;
    }
    const { head, payload } = encodeFrame(message);
    this.#queue.push({ head, payload });
    this.#queuedBytes += head.byteLength + (payload?.byteLength ?? 0);
    if (this.#queuedBytes > batchBytes) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
  }

  /** Sends what waits, says that nothing follows, and resolves when the socket is closed. */
  close(): Promise<void> {
    if (this.#state === "connecting") {
      this.#socket.once("connect", () => this.#sayEnd());
    } else if (this.#state === "open") {
      this.#sayEnd();
    }
    return this.#closed;
  }

  /** Ends the socket now, whatever waits. */
  destroy(): void {
    this.#forget();
    this.#socket.destroy();
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#socket.write(this.#options.hello);
    this.#flush();
  }

  /** Writes while the socket takes more; the rest waits for `drain`. */
  #flush(): void {
    if (this.#state !== "open") return;
    let next = 0;
    while (next < this.#queue.length && !this.#socket.writableNeedDrain) next = this.#writeBatch(next);
    if (next > 0) this.#queue = next === this.#queue.length ? [] : this.#queue.slice(next);
  }

  /** Writes frames from the queue up to a batch's size. Returns the index of the first that it left. */
  #writeBatch(from: number): number {
    const socket = this.#socket;
    let short: Uint8Array[] = [];
    const writeShort = (): void => {
      if (short.length > 0) socket.write(short.length === 1 ? (short[0] as Uint8Array) : Buffer.concat(short));
      short = [];
    };
    let bytes = 0;
    let next = from;
    socket.cork();
    for (; next < this.#queue.length && bytes < batchBytes; next++) {
      const { head, payload } = this.#queue[next] as QueuedFrame;
      bytes += head.byteLength + (payload?.byteLength ?? 0);
      short.push(head);
      if (payload === undefined) continue;
      if (payload.byteLength <= joinBytes) {
        short.push(payload);
      } else {
        writeShort();
        socket.write(payload);
      }
    }
    writeShort();
    socket.uncork();
    this.#queuedBytes -= bytes;
    return next;
  }

  #sayEnd(): void {
    if (this.#state !== "open") return;
    // Backpressure no longer matters: what waits is bounded by credit, and nothing follows.
    for (let next = 0; next < this.#queue.length;) next = this.#writeBatch(next);
    this.#forget();
    this.#socket.end(encodeEndMark());
  }

  #replied(chunk: Uint8Array): void {
    try {
      if (this.#replies.push(chunk).length > 0) {
        throw new QStreamError("FRAME_INVALID", "a message came on a socket that was dialled only to send");
      }
    } catch (error) {
      this.#error ??= error as Error;
      this.#socket.destroy();
      return;
    }
    if (!this.#replies.ended || this.#state !== "open") return;
    this.undelivered += this.#queue.length;
    this.#forget();
    this.#socket.end();
  }

  #ended(): void {
    const orderly = this.#state === "closing" || this.#replies.ended;
    this.undelivered += this.#queue.length;
    this.#forget();
    this.#state = "closed";
    if (!orderly) this.#options.lost(this.#error ?? new Error("its socket was closed"));
  }

  #forget(): void {
    this.#state = "closing";
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
