import type { Context } from "../lib/core/contracts/context.ts";
import { run, type Reader, type Run } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { delay, systemClock } from "../lib/core/seam/clock.ts";
import { checkChoice } from "./check-choice.ts";
import { labelOf, parseServerUrl } from "./live/address.ts";
import { checkNumber } from "./live/check-number.ts";
import { closable, throwIfAborted } from "./live/closable.ts";
import { openFeed, type FeedMessage } from "./live/feed.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** What becomes of a message: its text, the JSON value in it, or its bytes. */
export type MessageForm = "text" | "json" | "bytes";

export interface WebSocketOptions {
  /** Messages as text (default), as JSON values, or as bytes. */
  readonly as?: MessageForm;
  /** Headers of the request that opens the connection: authorization, say. They are in no plan, fingerprint or error. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** Messages sent when the connection is open: subscriptions, say. They are in no plan, fingerprint or error. */
  readonly send?: readonly string[];
  /** Certificate authorities in PEM to trust instead of the usual ones, for `wss://`. */
  readonly ca?: string;
  /**
   * How often a connection is made again that broke or couldn't be made, before a message came; each time counts as
   * `reconnects` in the metrics. What the server sent meanwhile is lost. Default 0: the execution fails.
   */
  readonly reconnects?: number;
  /** Milliseconds before the connection is made again; each next time twice as long, to 30 s. Default 500. */
  readonly reconnectMs?: number;
  /** Milliseconds in which the connection has to be open. Default 10,000. */
  readonly handshakeMs?: number;
  /** Milliseconds between two pings; a server that answers none of them is lost. Default 30,000. */
  readonly pingMs?: number;
  /** Bytes that a message may have. Default 16 MiB. */
  readonly messageBytesMax?: number;
  /** Messages that may wait before the server is held back. Default 10,000. */
  readonly queueMessages?: number;
  /** Bytes that may wait before the server is held back. Default 16 MiB. */
  readonly queueBytes?: number;
}

/** The one connection of a reader. */
export interface WebSocketSplit {
  readonly connection: 0;
}

const reconnectMsMax = 30_000;

const optionNames = namesOf<WebSocketOptions>({
  as: true,
  headers: true,
  protocols: true,
  send: true,
  ca: true,
  reconnects: true,
  reconnectMs: true,
  handshakeMs: true,
  pingMs: true,
  messageBytesMax: true,
  queueMessages: true,
  queueBytes: true,
});

/**
 * Reads the messages of a WebSocket connection, on one channel, until the server closes it (status 1000, 1001 or none). What
 * was sent can't be sent again: the messages are kept durably before anybody gets them, and those that the server sent while
 * nobody was connected are lost. A server that sends faster than the flow takes is held back by TCP.
 *
 * @param url - `ws://` or `wss://`; user, password and query are in no plan, fingerprint or error
 * @param options - what messages become, limits, and what happens when the connection breaks
 * @returns a reader of strings, of JSON values or of bytes
 * @throws QStreamError BAD_INPUT for a connection that can't be made or breaks, and for a message that isn't as it should be;
 * LIMIT_EXCEEDED for a message larger than `messageBytesMax`
 * @example
 * q.read("trades", webSocket<Trade>("wss://example.org/trades", { as: "json", send: ['{"subscribe":"BTC"}'] }));
 */
export function webSocket<T = unknown>(
  url: string,
  options: WebSocketOptions & { readonly as: "json" },
): Reader<T, WebSocketSplit>;
export function webSocket(
  url: string,
  options: WebSocketOptions & { readonly as: "bytes" },
): Reader<Uint8Array, WebSocketSplit>;
export function webSocket(
  url: string,
  options?: WebSocketOptions & { readonly as?: "text" },
): Reader<string, WebSocketSplit>;
export function webSocket(url: string, options: WebSocketOptions = {}): Reader<unknown, WebSocketSplit> {
  checkOptionNames("webSocket()", options, optionNames);
  const parsed = parseServerUrl(url, ["ws:", "wss:"]);
  if (parsed.hash !== "") {
    throw new QStreamError("OPTION_INVALID", "the URL of a WebSocket has a fragment", {
      advice: "Leave out # and what follows it.",
    });
  }
  const { as = "text", protocols } = options;
  checkChoice("as", as, ["text", "json", "bytes"]);
  checkNumber("reconnects", options.reconnects, 0);
  for (const name of [
    "reconnectMs",
    "handshakeMs",
    "pingMs",
    "messageBytesMax",
    "queueMessages",
    "queueBytes",
  ] as const)
    checkNumber(name, options[name], 1);
  const label = labelOf(parsed);
  return {
    kind: "web-socket",
    options: { server: label, as, protocols },
    replayable: false,
    endless: true,
    parallelism: "single",
    splits: () => [{ connection: 0 }],
    read: (_, ctx) =>
      closable(ctx.signal, (signal) => readMessages({ url: parsed.href, label, as, options, ctx, signal })),
  };
}

interface Reading {
  readonly url: string;
  readonly label: string;
  readonly as: MessageForm;
  readonly options: WebSocketOptions;
  readonly ctx: Context;
  readonly signal: AbortSignal;
}

async function* readMessages(reading: Reading): AsyncGenerator<Run<unknown>, void> {
  const { label, options, ctx, signal } = reading;
  const { reconnects = 0, reconnectMs = 500 } = options;
  let left = reconnects;
  let pauseMs = reconnectMs;
  for (;;) {
    throwIfAborted(signal);
    // oxlint-disable-next-line no-await-in-loop -- one connection after the other
    const feed = await openFeed(reading.url, label, signal, options);
    try {
      for (let messages = await feed.take(); messages !== undefined; messages = await feed.take()) {
        yield run(messages.map((message) => objectOf(message, reading)));
        left = reconnects;
        pauseMs = reconnectMs;
      }
      return;
    } catch (error) {
      if (!feed.lost || left === 0) throw error;
    } finally {
      feed.close();
    }
    left--;
    ctx.count("reconnects");
    // oxlint-disable-next-line no-await-in-loop -- the pause between two tries
    await delay(systemClock, pauseMs, signal);
    pauseMs = Math.min(reconnectMsMax, 2 * pauseMs);
  }
}

function objectOf({ bytes, binary }: FeedMessage, { as, label }: Reading): unknown {
  if (as === "bytes") return new Uint8Array(bytes);
  if (binary) {
    throw new QStreamError("BAD_INPUT", `${label} sent ${bytes.byteLength} bytes that aren't marked as text`, {
      advice: 'Give as: "bytes", and decode them in a function.',
    });
  }
  // The package has checked that it is UTF-8.
  const text = bytes.toString("utf8");
  if (as === "text") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new QStreamError("BAD_INPUT", `${label} sent what isn't JSON: ${JSON.stringify(text.slice(0, 200))}`, {
      advice: 'Give as: "text", and parse the messages in a function that says what becomes of others.',
      cause,
    });
  }
}
