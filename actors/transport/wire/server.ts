import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { QStreamError } from "../../../lib/core/errors.ts";
import { sameToken } from "../hello.ts";
import { checkSecurity, isLoopback, type Bind, type Security } from "./security.ts";
import { Strangers } from "./strangers.ts";
import { wireBytesMax } from "./wire-message.ts";

/** What whoever connects may do. */
export type Rights = "all" | "read";

/** Somebody who has connected, and shown a token. */
export interface Visitor {
  readonly socket: WebSocket;
  /** What it runs on. */
  readonly stream: Socket;
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly rights: Rights;
}

/** What is answered to one who wants a connection. */
export type Admission =
  | {
      readonly admitted: true;
      readonly headers: Readonly<Record<string, string>>;
      readonly connected: (visitor: Visitor) => void;
    }
  | { readonly admitted: false; readonly status: number; readonly reason: string };

export interface ServerOptions {
  readonly bind: Bind;
  readonly security: Security;
  /** Milliseconds in which who connects has to say all of its request. Default 5000. */
  readonly handshakeMs?: number;
  /** Connections that there may be at once. Default 4096. */
  readonly connectionsMax?: number;
  /** Looks at a request for a WebSocket whose token is right. */
  readonly admit: (url: URL, request: IncomingMessage, rights: Rights) => Admission;
  /** Answers a plain request whose token is right. */
  readonly answer?: (url: URL, request: IncomingMessage, response: ServerResponse, rights: Rights) => void;
}

const connectionsMaxDefault = 4096;
/** Connections whose token isn't known yet. */
const strangersMax = 256;
const handshakeMsDefault = 5000;
// A bundle of 64 MiB over half a megabyte a second.
const requestMs = 120_000;
const timeoutsEveryMs = 500;
const headerBytesMax = 8192;
const fragmentsMax = 16;
/** Bytes that a request's body may have. */
export const bodyBytesMax: number = 64 * 2 ** 20;
/** Bytes of a message from one who may only look. */
const readerBytesMax = 64 * 1024;
const methods = ["GET", "HEAD", "PUT"];
/** What answers everybody that the process lives, and nothing else. */
const healthPath = "/healthy";

/** The port of a machine or a head: WebSockets, and few plain requests, of those who show the token. */
export class WireServer {
  readonly #server: Server;
  readonly #options: ServerOptions;
  readonly #sockets: Readonly<Record<Rights, WebSocketServer>>;
  readonly #strangers = new Strangers(strangersMax);
  /** Requests that were refused. */
  refused = 0;

  private constructor(options: ServerOptions) {
    const { handshakeMs = handshakeMsDefault } = options;
    const { tls } = options.security;
    this.#options = options;
    const limits = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: handshakeMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: timeoutsEveryMs,
    };
    this.#server =
      tls === undefined
        ? createPlainServer(limits)
        : createTlsServer({
            ...limits,
            ...tls,
            minVersion: "TLSv1.2",
            handshakeTimeout: handshakeMs,
            requestCert: tls.ca !== undefined,
            rejectUnauthorized: tls.ca !== undefined,
          });
    this.#server.maxConnections = options.connectionsMax ?? connectionsMaxDefault;
    this.#server.on("connection", (stream: Socket) => this.#strangers.add(stream));
    this.#server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#plain(request, response));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      this.#upgrade(request, socket, head);
    });
    this.#server.on("clientError", (_: Error, socket: Duplex) => void socket.destroy());
    this.#server.on("tlsClientError", ({ code }: NodeJS.ErrnoException) => {
      // Who hangs up by itself, as one does that looks whether somebody listens, isn't turned away.
      if (code !== "ECONNRESET") this.refused++;
    });
    this.#sockets = { all: webSockets(wireBytesMax), read: webSockets(readerBytesMax) };
  }

  /**
   * Listens.
   *
   * @throws QStreamError OPTION_INVALID where strangers would be let in, or the address can't be had
   */
  static async open(options: ServerOptions): Promise<WireServer> {
    const { bind, security } = options;
    checkSecurity(bind, security);
    let server: WireServer;
    try {
      server = new WireServer(options);
    } catch (cause) {
      throw new QStreamError("OPTION_INVALID", "the certificate or its key can't be read", {
        advice: "Both are PEM: --tls-cert with the whole chain, --tls-key with the key that belongs to it",
        cause,
      });
    }
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (cause: NodeJS.ErrnoException) => {
        const taken = cause.code === "EADDRINUSE";
        reject(
          new QStreamError("OPTION_INVALID", `nothing can listen on ${bind.host}:${bind.port}: ${cause.message}`, {
            advice: taken ? "Another program listens there: give another port, or 0 for any" : "Give another address",
            cause,
          }),
        );
      });
      server.#server.listen(
        { host: bind.host.replace(/^\[(.*)\]$/u, "$1"), port: bind.port, exclusive: true },
        resolve,
      );
    });
    server.#server.on("error", () => {});
    return server;
  }

  /** Connections that haven't shown a token. */
  get strangers(): number {
    return this.#strangers.count;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { clients } of Object.values(this.#sockets)) for (const socket of clients) socket.terminate();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#strangers.close();
    await closed;
  }

  #rightsOf(request: IncomingMessage): Rights | undefined {
    const { token, readToken } = this.#options.security;
    // A page that somebody visits can't set this header, but can connect to a port of the machine it is visited from.
    if (request.headers.origin !== undefined) return undefined;
    // Nor can it choose this one: a name that somebody made to mean 127.0.0.1 stays that name.
    if (token === undefined) return isLoopback(hostOf(request)) ? "all" : undefined;
    const [, given = ""] = /^Bearer ([\x21-\x7e]{1,1024})$/u.exec(request.headers.authorization ?? "") ?? [];
    if (sameToken(given, token)) return "all";
    return readToken !== undefined && sameToken(given, readToken) ? "read" : undefined;
  }

  /** Why somebody isn't let in: no more than they know. */
  #unknown({ headers }: IncomingMessage): string {
    const isWanted = this.#options.security.token !== undefined && headers.authorization === undefined;
    return isWanted ? "a token is wanted" : "the token is wrong";
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const rights = this.#rightsOf(request);
    const url = urlOf(request);
    if (rights === undefined || url === undefined) {
      this.#refuse(socket, 401, this.#unknown(request));
      return;
    }
    this.#strangers.isKnown(request.socket);
    const admission = this.#options.admit(url, request, rights);
    if (!admission.admitted) {
      this.#refuse(socket, admission.status, admission.reason);
      return;
    }
    const given = Object.entries(admission.headers).map(([name, value]) => `${name}: ${value}`);
    const addHeaders = (headers: string[], other: IncomingMessage): void => {
      if (other === request) headers.push(...given);
    };
    const sockets = this.#sockets[rights];
    sockets.on("headers", addHeaders);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.binaryType = "fragments";
      opened.on("error", () => opened.terminate());
      request.socket.setNoDelay(true);
      admission.connected({ socket: opened, stream: request.socket, request, url, rights });
    });
    sockets.off("headers", addHeaders);
  }

  #refuse(socket: Duplex, status: number, reason: string): void {
    this.refused++;
    socket.once("finish", () => socket.destroy());
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${reason}\n`);
  }

  #plain(request: IncomingMessage, response: ServerResponse): void {
    const rights = this.#rightsOf(request);
    const url = urlOf(request);
    const { answer } = this.#options;
    const refuse = (status: number, reason: string): void => {
      this.refused++;
      response.writeHead(status, { connection: "close", "content-type": "text/plain" });
      // What it still sends isn't read.
      response.end(`${reason}\n`, () => request.socket.destroySoon());
    };
    if (url?.pathname === healthPath && (request.method === "GET" || request.method === "HEAD")) {
      response.writeHead(200, { connection: "close", "content-type": "text/plain" });
      response.end("healthy\n", () => request.socket.destroySoon());
      return;
    }
    if (rights === undefined) return refuse(401, this.#unknown(request));
    this.#strangers.isKnown(request.socket);
    if (!methods.includes(request.method ?? "")) return refuse(405, `${methods.join(", ")} are understood`);
    const announced = Number(request.headers["content-length"] ?? "0");
    if (request.method === "PUT" && request.headers["content-length"] === undefined) {
      return refuse(411, "it doesn't say how long it is");
    }
    if (!(announced <= bodyBytesMax)) return refuse(413, `a body may have ${bodyBytesMax} bytes`);
    if (url === undefined || answer === undefined) return refuse(404, "there is nothing here");
    answer(url, request, response, rights);
  }
}

function webSockets(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload,
    maxFragments: fragmentsMax,
    perMessageDeflate: false,
    clientTracking: true,
  });
}

/** The host that a request is for, without its port. */
function hostOf(request: IncomingMessage): string {
  const text = `http://${request.headers.host ?? ""}`;
  return URL.canParse(text) ? new URL(text).hostname : "";
}

function urlOf(request: IncomingMessage): URL | undefined {
  const text = `http://machine${request.url ?? "/"}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}
