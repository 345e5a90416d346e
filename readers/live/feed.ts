import type Socket from "ws";
import { QStreamError } from "../../lib/core/errors.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import { abortReason, onAbort } from "./closable.ts";
import { LiveQueue } from "./live-queue.ts";

/** A message as it came. */
export interface FeedMessage {
  readonly bytes: Buffer;
  /** True if the server didn't mark it as text. */
  readonly binary: boolean;
}

export interface FeedOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly send?: readonly string[];
  readonly ca?: string;
  readonly handshakeMs?: number;
  readonly pingMs?: number;
  readonly messageBytesMax?: number;
  readonly queueMessages?: number;
  readonly queueBytes?: number;
}

/** The messages of one connection. */
export interface Feed {
  /** Those that wait, at least one; undefined once the server has closed the connection as it should. */
  take: () => Promise<readonly FeedMessage[] | undefined>;
  /** True if `take` failed since the connection broke or couldn't be made: another one may do better. */
  readonly lost: boolean;
  /** Ends the connection at once. */
  close: () => void;
}

/** Status codes of a connection that was closed because all is said: normal, going away, none given. */
const saidAll = new Set([1000, 1001, 1005]);
const tooLarge = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";

/** Opens a connection. It doesn't wait for that: what fails, fails in `take`. */
export async function openFeed(url: string, label: string, signal: AbortSignal, options: FeedOptions): Promise<Feed> {
  const { default: WebSocketClient } = await import("ws");
  const socket = new WebSocketClient(url, [...(options.protocols ?? [])], {
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: options.handshakeMs ?? 10_000,
    maxPayload: options.messageBytesMax ?? 16 << 20,
    ...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  return new SocketFeed(socket, label, signal, options);
}

class SocketFeed implements Feed {
  readonly #socket: Socket;
  readonly #label: string;
  readonly #options: FeedOptions;
  readonly #queue: LiveQueue<FeedMessage>;
  #forget = (): void => {};
  #error: Error | undefined;
  #cancelPing = (): void => {};
  #heard = true;
  lost = false;

  constructor(socket: Socket, label: string, signal: AbortSignal, options: FeedOptions) {
    this.#socket = socket;
    this.#label = label;
    this.#options = options;
    this.#queue = new LiveQueue({
      objectsMax: options.queueMessages ?? 10_000,
      bytesMax: options.queueBytes ?? 16 << 20,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
    socket.binaryType = "nodebuffer";
    socket.on("open", () => {
      for (const text of options.send ?? []) socket.send(text);
      this.#pingLater();
    });
    socket.on("message", (data, binary) => {
      this.#heard = true;
      const bytes = data as Buffer;
      this.#queue.push({ bytes, binary }, bytes.byteLength);
    });
    socket.on("pong", () => (this.#heard = true));
    socket.on("error", (error) => (this.#error ??= error));
    socket.on("close", (code, reason) => this.#closed(code, reason.toString("utf8")));
    this.#forget = onAbort(signal, () => {
      this.#queue.abort(abortReason(signal));
      this.close();
    });
  }

  take(): Promise<readonly FeedMessage[] | undefined> {
    return this.#queue.take();
  }

  close(): void {
    this.#forget();
    this.#cancelPing();
    this.#queue.end();
    this.#socket.terminate();
  }

  /** A server that was told to wait isn't heard either, so that it isn't asked. */
  #pingLater(): void {
    this.#cancelPing = systemClock.after(this.#options.pingMs ?? 30_000, () => {
      if (!this.#heard && !this.#queue.paused) {
        this.#error ??= new Error(`it answered no ping for ${this.#options.pingMs ?? 30_000} ms`);
        this.#socket.terminate();
        return;
      }
      this.#heard = this.#queue.paused;
      if (!this.#queue.paused) this.#socket.ping();
      this.#pingLater();
    });
  }

  #closed(code: number, reason: string): void {
    this.#cancelPing();
    if (this.#error === undefined && saidAll.has(code)) {
      this.#queue.end();
      return;
    }
    const error = this.#error as NodeJS.ErrnoException | undefined;
    if (error?.code === tooLarge) {
      this.#queue.fail(
        new QStreamError("LIMIT_EXCEEDED", `${this.#label} sent a message larger than messageBytesMax`, {
          advice: "Raise the reader's option messageBytesMax.",
          cause: error,
        }),
      );
      return;
    }
    this.lost = true;
    const why = error?.message || error?.code || `closed with status ${code}${reason === "" ? "" : ` (${reason})`}`;
    this.#queue.fail(
      new QStreamError("BAD_INPUT", `the connection to ${this.#label} broke or couldn't be made: ${why}`, {
        advice: "Check the server; with the option reconnects the connection is made again.",
        ...(error === undefined ? {} : { cause: error }),
      }),
    );
  }
}
