import { deserialize, serialize } from "node:v8";
import type { RawData, WebSocket } from "ws";
import { QStreamError } from "../core/errors.ts";
import { systemClock, type Clock } from "../core/seam/clock.ts";

export interface TalkHandlers<In> {
  /** What it throws ends the connection, and nothing else: the other end said something that can't be. */
  readonly told: (message: In) => void;
  /** Called once, when the connection is over. */
  readonly ended: () => void;
  /**
   * Given where the other end may only look: then JSON is all that is read of it, and this is called for anything else, unread. Reading
   * structured clone isn't safe where it comes from somebody who isn't trusted.
   */
  readonly unread?: (() => void) | undefined;
  /** Something came that is no message, or that `told` threw at: the connection ends. */
  readonly nonsense?: (() => void) | undefined;
  /** What the socket runs on: says how many bytes have come, also while a large message is on its way. */
  readonly stream?: { readonly bytesRead: number } | undefined;
  readonly clock?: Clock;
}

/** A conversation with the head over one authenticated connection. A message is one of the socket: structured clone, or JSON as text. */
export class Talk<Out extends { readonly kind: string }, In extends { readonly kind: string }> {
  readonly #socket: WebSocket;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #stream: TalkHandlers<In>["stream"];
  #stopBeating = (): void => {};
  #lastHeardAt: number;
  /** How things stood at the last beat. */
  #beatAt: number;
  #bytesRead = 0;
  #bytesWaiting = 0;
  #isOver = false;

  /** @param leaseMs - the connection is given up where nothing was heard for so long */
  constructor(socket: WebSocket, leaseMs: number, handlers: TalkHandlers<In>) {
    const { clock = systemClock, unread, nonsense, stream } = handlers;
    this.#socket = socket;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
    this.#stream = stream;
    this.#lastHeardAt = clock.monotonic();
    this.#beatAt = this.#lastHeardAt;
    const heard = (): void => {
      this.#lastHeardAt = clock.monotonic();
    };
    socket.on("message", (data: RawData, isBinary: boolean) => {
      heard();
      if (isBinary && unread !== undefined) {
        unread();
        return;
      }
      try {
        handlers.told(read<In>(data, isBinary));
      } catch {
        nonsense?.();
        socket.terminate();
      }
    });
    socket.on("ping", heard);
    socket.on("pong", heard);
    this.#beat();
    socket.once("close", () => {
      this.#isOver = true;
      this.#stopBeating();
      handlers.ended();
    });
    socket.resume();
  }

  #beat(): void {
    const now = this.#clock.monotonic();
    const { bytesRead = 0 } = this.#stream ?? {};
    const { bufferedAmount, readyState, OPEN } = this.#socket;
    // If this process didn't run either, what has come may wait to be read; and while a large message is on its way, no sign of life is.
    const heldUp = now - this.#beatAt > this.#leaseMs / 2;
    if (heldUp || bytesRead !== this.#bytesRead || bufferedAmount < this.#bytesWaiting) this.#lastHeardAt = now;
    this.#beatAt = now;
    this.#bytesRead = bytesRead;
    this.#bytesWaiting = bufferedAmount;
    if (now - this.#lastHeardAt > this.#leaseMs) this.#socket.terminate();
    else if (readyState === OPEN) this.#socket.ping();
    this.#stopBeating = this.#clock.after(this.#leaseMs / 4, () => this.#beat());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @throws QStreamError LIMIT_EXCEEDED */
  tell(message: Out): void {
    const bytes = serialize(message);
    if (bytes.byteLength > messageBytesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `a message of ${bytes.byteLength} bytes can't be sent`, {
        advice: "Results of that size are for a file: write them with a sink, for example toParquet",
      });
    }
    this.#send(bytes, true);
  }

  /** The same as JSON, for a message that holds nothing else: also one who may only look can tell it. */
  tellPlainly(message: Out): void {
    this.#send(Buffer.from(JSON.stringify(message)), false);
  }

  #send(bytes: Uint8Array, binary: boolean): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    // Somebody who doesn't read what it asks for.
    if (socket.bufferedAmount > waitingBytesMax) socket.terminate();
    else socket.send(bytes, { binary });
  }

  close(): void {
    this.#socket.close();
  }
}

const messageBytesMax = 256 * 2 ** 20;
const waitingBytesMax = 2 * messageBytesMax;

/** @throws where it is no message */
function read<In extends { readonly kind: string }>(data: RawData, isBinary: boolean): In {
  // Text comes in one piece, whatever the socket was told.
  const bytes = Array.isArray(data) ? Buffer.concat(data) : (data as Buffer);
  const message: unknown = isBinary ? deserialize(bytes) : JSON.parse(bytes.toString("utf8"));
  if (typeof message !== "object" || message === null) throw new TypeError("it is no object");
  if (!("kind" in message) || typeof message.kind !== "string") throw new TypeError("it has no kind");
  return message as In;
}
