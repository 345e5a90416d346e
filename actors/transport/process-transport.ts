import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { encodeHello } from "./hello.ts";
import { Inbox } from "./inbox.ts";
import { IncomingSocket } from "./incoming-socket.ts";
import { OutgoingSocket } from "./outgoing-socket.ts";

export interface ProcessTransportOptions {
  readonly slot: string;
  /** Folder of the session's sockets: this user's own, the same for all slots. Made private by `open`. */
  readonly folder: string;
  /** Random text that only the session's slots know. */
  readonly token: string;
  /**
   * The way to or from a slot broke: it ended, or sent what can't be read. Called once for each slot, never for one that
   * closed in order. Without it, ended slots are left to whoever watches their processes, and unreadable bytes are thrown.
   */
  readonly peerLost?: (slot: string, error: QStreamError) => void;
}

// How long a slot that closes waits for the others to take what it sent.
const closeGraceMs = 500;
// The shortest limit among systems (macOS), with the byte that ends the path.
const socketPathBytesMax = 103;
// Sockets that may be open to this slot at once; one for each other slot is what it takes.
const connectionsMax = 4096;

/**
 * Connects slots that are processes of one machine, by Unix domain sockets (on Windows named pipes). Each slot listens on a
 * socket of its own and dials another slot's when it first sends to it: two slots that talk to each other have two sockets.
 */
export class ProcessTransport implements Transport {
  readonly slot: string;
  readonly #options: ProcessTransportOptions;
  readonly #hello: Uint8Array;
  readonly #server: Server;
  readonly #inbox = new Inbox();
  readonly #outgoing = new Map<string, OutgoingSocket>();
  readonly #incoming = new Set<IncomingSocket>();
  readonly #senders = new Set<string>();
  readonly #lostPeers = new Set<string>();
  #closing: Promise<void> | undefined;
  bytesSent = 0;

  private constructor(options: ProcessTransportOptions) {
    this.slot = options.slot;
    this.#options = options;
    this.#hello = encodeHello(options);
    this.#server = createServer((socket) => {
      const incoming = new IncomingSocket(socket, {
        token: options.token,
        identified: (slot) => this.#identified(slot),
        message: (message, from) => this.#inbox.deliver(message, from),
        lost: (slot, cause) => this.#lost(slot, cause),
        closed: () => void this.#incoming.delete(incoming),
      });
      this.#incoming.add(incoming);
      if (this.#closing !== undefined) incoming.destroy();
    });
  }

  /**
   * Listens for the other slots.
   *
   * @returns the end of this slot, once others can dial it
   * @throws QStreamError OPTION_INVALID if the folder's path is too long for a socket
   */
  static async open(options: ProcessTransportOptions): Promise<ProcessTransport> {
    const path = socketPath(options.folder, options.slot);
    if (process.platform !== "win32") await chmod(options.folder, 0o700);
    const transport = new ProcessTransport(options);
    const server = transport.#server;
    server.maxConnections = connectionsMax;
    server.listen({ path, exclusive: true });
    await once(server, "listening");
    // A server that was listening fails only where a connection can't be accepted; the slot that dialled sees that.
    server.on("error", () => {});
    return transport;
  }

  /** Messages that weren't sent because the other slot was gone. */
  get messagesUndelivered(): number {
    return [...this.#outgoing.values()].reduce((sum, socket) => sum + socket.undelivered, 0);
  }

  send(to: string, message: LinkMessage): void {
    if (this.#closing !== undefined) return;
    invariant(to !== this.slot, `slot ${to} sent a message to itself through its transport`);
    let outgoing = this.#outgoing.get(to);
    if (outgoing === undefined) {
      outgoing = new OutgoingSocket({
        path: socketPath(this.#options.folder, to),
        hello: this.#hello,
        lost: (cause) => this.#lost(to, cause),
      });
      this.#outgoing.set(to, outgoing);
    }
    outgoing.send(message);
    if (message.kind === "parcel") this.bytesSent += message.payload.bytes.byteLength;
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#inbox.receive(handler);
  }

  /** Sends what waits as far as the others take it within half a second, closes all sockets, and removes its own. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#inbox.close();
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    const sockets = [...this.#outgoing.values(), ...this.#incoming];
    const abort = new AbortController();
    const grace = wait(closeGraceMs, undefined, { signal: abort.signal }).catch(() => {});
    await Promise.race([Promise.all(sockets.map((socket) => socket.close())), grace]);
    abort.abort();
    for (const socket of sockets) socket.destroy();
    await stopped;
  }

  /** A slot dials another once: a second socket in its name could overtake the first. */
  #identified(slot: string): boolean {
    if (slot === this.slot || this.#senders.has(slot)) return false;
    this.#senders.add(slot);
    return true;
  }

  #lost(slot: string, cause: Error): void {
    if (this.#closing !== undefined || this.#lostPeers.has(slot)) return;
    this.#lostPeers.add(slot);
    this.#outgoing.get(slot)?.destroy();
    const error = new QStreamError(
      "SLOT_LOST",
      `the connection of slot ${this.slot} with slot ${slot} broke: ${cause.message}`,
      {
        cause,
        advice: "Its process ended, or was stopped: what it wrote last may say why.",
      },
    );
    if (this.#options.peerLost !== undefined) this.#options.peerLost(slot, error);
    else if (cause instanceof QStreamError) throw error;
  }
}

function socketPath(folder: string, slot: string): string {
  const name = encodeURIComponent(slot);
  if (process.platform === "win32") return `\\\\.\\pipe\\${basename(folder)}-${name}`;
  const path = join(folder, `${name}.sock`);
  if (Buffer.byteLength(path) > socketPathBytesMax) {
    throw new QStreamError("OPTION_INVALID", `the path of a slot's socket is too long: ${path}`, {
      advice: `It may have ${socketPathBytesMax} bytes: set TMPDIR to a folder with a shorter path.`,
    });
  }
  return path;
}
