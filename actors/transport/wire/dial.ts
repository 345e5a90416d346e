import { setMaxListeners } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket, TcpNetConnectOpts } from "node:net";
import { WebSocket } from "ws";
import { QStreamError } from "../../../lib/core/errors.ts";
import { BulkReader } from "./bulk-reader.ts";
import { isLoopback, type Security, type Tls } from "./security.ts";
import { wireBytesMax } from "./wire-message.ts";

export interface Dialed {
  /** Paused: who listens to it resumes it. */
  readonly socket: WebSocket;
  /** What it runs on. */
  readonly stream: Socket;
  /** What the other end said of itself. */
  readonly headers: IncomingHttpHeaders;
}

/** The other end is there, and doesn't let this one in. */
export class MachineRefused extends QStreamError {
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, what: string, advice: string) {
    super("MACHINE_REFUSED", what, { advice });
    this.status = status;
  }
}

export interface DialOptions {
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** Milliseconds that it may take. Default 5000. */
  readonly withinMs?: number;
  /** True where much is going to come: messages may then lie in memory that is used again. */
  readonly bulk?: boolean;
}

const withinMsDefault = 5000;
const fragmentsMax = 16;
const refusalCharactersMax = 300;

/**
 * Opens a connection to another machine.
 *
 * @param url - ws:// or wss://, with a path
 * @throws QStreamError MACHINE_UNREACHABLE, MACHINE_REFUSED with what the other end says, OPTION_INVALID where the token would
 *   cross a network in the clear
 */
export function dial(
  url: string,
  headers: Readonly<Record<string, string>>,
  security: Security,
  options: DialOptions = {},
): Promise<Dialed> {
  const { token, tls } = security;
  const { signal, withinMs = withinMsDefault, bulk = false } = options;
  const exposed = exposedToken(url, security);
  if (exposed !== undefined) return Promise.reject(exposed);
  // Through TLS everything comes in pieces of 16 KiB anyhow.
  const reader = bulk && url.startsWith("ws:") ? new BulkReader({ bytesMax: wireBytesMax, fragmentsMax }) : undefined;
  const socket = new WebSocket(url, {
    headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
    handshakeTimeout: withinMs,
    maxPayload: wireBytesMax,
    maxFragments: fragmentsMax,
    perMessageDeflate: false,
    followRedirects: false,
    ...certificatesOf(tls),
    ...(reader === undefined ? {} : { createConnection: connectBy(reader) }),
  });
  socket.binaryType = "fragments";
  // All connections of a machine end by one signal, and it may have hundreds.
  if (signal !== undefined) setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const abort = (): void => socket.terminate();
    signal?.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", abort));
    let answered: IncomingMessage | undefined;
    socket.on("upgrade", (response: IncomingMessage) => {
      answered = response;
    });
    socket.once("open", () => {
      // What comes before somebody listens would be lost.
      socket.pause();
      if (answered === undefined) return;
      reader?.attach(socket, answered.socket);
      resolve({ socket, stream: answered.socket, headers: answered.headers });
    });
    socket.on("unexpected-response", (_, response: IncomingMessage) => {
      void refusalOf(response).then((said) => {
        socket.terminate();
        reject(refused(url, response.statusCode ?? 0, said));
      });
    });
    // It stays: a socket without a listener ends the process when it breaks.
    socket.on("error", (cause) => {
      reject(
        new QStreamError("MACHINE_UNREACHABLE", `${hostOf(url)} can't be reached: ${cause.message}`, {
          advice: "Check that it runs, the address, and what lies between",
          cause,
        }),
      );
      socket.terminate();
    });
  });
}

/** What is shown to another end that asks for it, and who has to have signed what that shows: without a CA, one that Node knows. */
export function certificatesOf(tls: Tls | undefined): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
} {
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls === undefined || tls.cert === "" ? {} : { cert: tls.cert, key: tls.key }),
  };
}

/** The path that ws gives is the request's, which is none of a socket's file. */
function connectBy(reader: BulkReader): (options: object) => Socket {
  return (options) => reader.connect({ ...(options as TcpNetConnectOpts), path: undefined } as TcpNetConnectOpts);
}

function refused(url: string, status: number, said: string): QStreamError {
  const advice = status === 401 ? "Give the token that it was started with: --token-file" : "See what it says";
  return new MachineRefused(status, `${hostOf(url)} refused the connection: ${said}`, advice);
}

/** Says why a token isn't sent to a URL: others could read it on its way. */
export function exposedToken(url: string, { token }: Security): QStreamError | undefined {
  if (token === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  if (protocol === "wss:" || protocol === "https:" || isLoopback(hostname)) return undefined;
  return new QStreamError("OPTION_INVALID", `${url} has no TLS, and whoever listens on the way could read the token`, {
    advice: "Use wss:// (start the head and machines with --tls-cert and --tls-key), or a tunnel from 127.0.0.1",
  });
}

async function refusalOf(response: IncomingMessage): Promise<string> {
  let said = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      said += String(chunk);
      if (said.length > refusalCharactersMax) break;
    }
  } catch {
    // What has come will do.
  }
  return said.slice(0, refusalCharactersMax).trim() || `status ${response.statusCode}`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
