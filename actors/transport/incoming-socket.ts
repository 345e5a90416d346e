import type { Socket } from "node:net";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { encodeEndMark, FrameReader } from "../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { HelloReader, sameToken } from "./hello.ts";

const helloTimeoutMs = 10_000;

export interface IncomingSocketOptions {
  readonly token: string;
  /** A slot has said who it is, with the right token. Returns false if it isn't welcome. */
  readonly identified: (slot: string) => boolean;
  readonly message: (message: LinkMessage, from: string) => void;
  /** The socket of a slot broke without an end mark, or sent what isn't a frame. */
  readonly lost: (slot: string, cause: Error) => void;
  readonly closed: () => void;
}

/** A socket that another slot dialled, to send. What doesn't identify itself is closed. */
export class IncomingSocket {
  readonly #options: IncomingSocketOptions;
  readonly #socket: Socket;
  readonly #hello = new HelloReader();
  readonly #frames = new FrameReader();
  readonly #closed: Promise<void>;
  #from: string | undefined;
  #closing = false;
  #error: Error | undefined;

  constructor(socket: Socket, options: IncomingSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(helloTimeoutMs, () => socket.destroy());
    socket.on("data", (chunk) => this.#read(chunk));
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

  /** Says that this slot closes, and resolves when the other one has closed its end as well. */
  close(): Promise<void> {
    this.#closing = true;
    if (this.#from === undefined) this.#socket.destroy();
    else this.#socket.end(encodeEndMark());
    return this.#closed;
  }

  destroy(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    if (this.#closing) return;
    let messages: readonly LinkMessage[];
    try {
      const bytes = this.#from === undefined ? this.#readHello(chunk) : chunk;
      if (bytes === undefined) return;
      messages = this.#frames.push(bytes);
    } catch (error) {
      this.#error ??= error as Error;
      this.#socket.destroy();
      return;
    }
    const from = this.#from as string;
    for (const message of messages) this.#options.message(message, from);
  }

  /** Returns the bytes after the hello once that's complete. */
  #readHello(chunk: Uint8Array): Uint8Array | undefined {
    const read = this.#hello.push(chunk);
    if (read === undefined) return undefined;
    const { slot, token } = read.hello;
    if (!sameToken(token, this.#options.token) || !this.#options.identified(slot)) {
      throw new QStreamError("FRAME_INVALID", "a socket was opened by something that doesn't belong to this session");
    }
    this.#from = slot;
    this.#socket.setTimeout(0);
    return read.rest;
  }

  #ended(): void {
    this.#options.closed();
    if (this.#closing || this.#from === undefined || this.#frames.ended) return;
    this.#options.lost(this.#from, this.#error ?? new Error("its socket was closed"));
  }
}
