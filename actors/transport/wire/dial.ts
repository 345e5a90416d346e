import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { QStreamError } from "../../../lib/core/errors.ts";
import { isLoopback, type Security } from "./security.ts";
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
  const { signal, withinMs = withinMsDefault } = options;
  const exposed = exposedToken(url, security);
  if (exposed !== undefined) return Promise.reject(exposed);
  const socket = new WebSocket(url, {
    headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
    handshakeTimeout: withinMs,
    maxPayload: wireBytesMax,
    maxFragments: fragmentsMax,
    perMessageDeflate: false,
    followRedirects: false,
    ...(tls?.ca === undefined ? {} : { ca: tls.ca, cert: tls.cert, key: tls.key }),
  });
  socket.binaryType = "fragments";
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
      if (answered !== undefined) resolve({ socket, stream: answered.socket, headers: answered.headers });
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
