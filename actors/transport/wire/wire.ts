import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { RawData, WebSocket } from "ws";
import type { LinkMessage } from "../../../lib/core/contracts/transport.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { MachineRefused } from "./dial.ts";
import { flushPeers } from "./flush-peers.ts";
import { GoneMachines } from "./gone-machines.ts";
import type { Connection } from "./lane.ts";
import { Peer, type Way } from "./peer.ts";
import { Refusal, Refusals, taking, type RefusalReason } from "./refusal.ts";
import { keepDialing } from "./redial.ts";
import { addressOf, checkAdvertised } from "./security.ts";
import type { Admission, Rights } from "./server.ts";
import type { SharedPayload } from "../shared-ring.ts";
import { systemSockets, type Listener } from "./sockets.ts";
import { helloHeaders, readHello, receivedHeaders, receivedOf, wayOf, type Hello } from "./wire-hello.ts";
import type { WireOptions } from "./wire-options.ts";
import { PeerCounts, type WireCounts } from "./wire-counts.ts";
import { readMessage, readStart, type Told, type WireMessage } from "./wire-message.ts";

const beatEveryMs = 250;
const dialWithinMs = 5000;
const staleLeastMs = 1000;
const peersMax = 4096;
const keptBytesMaxDefault = 2 ** 30;
const statusGivenUp = 410;

/**
 * A machine's port, and its connections with other machines. Messages to one machine arrive once and in order on each of two ways,
 * over as many connections as it takes, until either gives the other up.
 */
export class Wire {
  readonly machine: string;
  readonly url: string;
  readonly #options: WireOptions;
  readonly #server: Listener;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();
  readonly #watched = new Set<string>();
  readonly #gone = new GoneMachines();
  readonly #closed = new AbortController();
  readonly #refusals = new Refusals();
  readonly #forgotten = new PeerCounts();
  readonly #beatMs: number;
  readonly #staleMs: number;
  #lastBeatAt: number;
  #stopBeating = (): void => {};
  /** Messages for machines that aren't known, or not any more. */
  undelivered = 0;

  private constructor(options: WireOptions, server: Listener) {
    const { bind, security, advertise, sockets = systemSockets } = options;
    this.#options = options;
    this.#server = server;
    this.#clock = sockets.clock;
    this.machine = options.machine;
    this.url = `${security.tls === undefined ? "ws" : "wss"}://${addressOf(bind, server.port, advertise)}`;
    this.#beatMs = Math.min(beatEveryMs, options.leaseMs / 4);
    // Half of the lease is left to find a connection that works.
    this.#staleMs = Math.max(staleLeastMs, options.leaseMs / 2);
    this.#lastBeatAt = this.#clock.monotonic();
    this.#stopBeating = this.#clock.after(this.#beatMs, () => this.#beat());
  }

  /** @throws QStreamError OPTION_INVALID */
  static async open(options: WireOptions): Promise<Wire> {
    const { bind, security, advertise, answer, sockets = systemSockets } = options;
    checkAdvertised(bind, advertise);
    const opened: { wire?: Wire } = {};
    const server = await sockets.listen({
      bind,
      security,
      admit: (url, request, rights) =>
        opened.wire?.admit(url, request, rights) ?? { admitted: false, status: 503, reason: "it starts" },
      ...(answer === undefined ? {} : { answer }),
    });
    return (opened.wire = new Wire(options, server));
  }

  get port(): number {
    return this.#server.port;
  }

  /** Says where a machine is. */
  meet(machine: string, url: string): void {
    if (machine === this.machine || this.#gone.has(machine)) return;
    const peer = this.#peers.get(machine);
    const now = this.#clock.monotonic();
    if (peer === undefined) this.#peers.set(machine, new Peer(machine, url, true, now));
    else peer.meet(url);
  }

  /** Is told of a machine from which nothing is heard. Opens a connection to it. */
  watch(machine: string): void {
    const peer = this.#peers.get(machine);
    if (peer === undefined) return;
    peer.heardAt = this.#clock.monotonic();
    this.#watched.add(machine);
    this.#keepDialing(peer, "control");
  }

  unwatch(machine: string): void {
    this.#watched.delete(machine);
  }

  /** Breaks with a machine for good: it is told so when it comes back. */
  giveUp(machine: string): void {
    this.forget(machine);
    this.#gone.add(machine);
  }

  /** A machine is gone, or has nothing to do with this one any more: what is on its way to it is dropped. */
  forget(machine: string): void {
    this.#gone.delete(machine);
    this.#watched.delete(machine);
    const peer = this.#peers.get(machine);
    if (peer !== undefined) this.#forgotten.add(peer);
    peer?.close();
    this.#peers.delete(machine);
  }

  /** Sends a link's message to a slot of another machine, and its payload, where that isn't in it. To one that was given up: nothing. */
  sendLink(machine: string, to: string, from: string, message: LinkMessage, payload?: SharedPayload): void {
    const bulk = message.kind === "parcel" || message.kind === "end";
    this.#send(machine, bulk ? "data" : "control", { kind: "link", to, from, message, payload });
  }

  /**
   * Tells a machine something that structured clone can carry.
   *
   * @throws QStreamError LIMIT_EXCEEDED
   */
  tell(machine: string, content: Told): void {
    this.#send(machine, "control", { kind: "tell", content });
  }

  /** Bytes on their way to other machines, but for some. */
  bytesKept(except?: ReadonlySet<string>): number {
    return [...this.#peers].reduce((sum, [id, peer]) => (except?.has(id) === true ? sum : sum + peer.bytesKept), 0);
  }

  /** Machines of which nothing has come back for so long, though messages wait for them. */
  stuck(forMs: number): readonly string[] {
    const now = this.#clock.monotonic();
    return [...this.#peers].filter(([, peer]) => peer.stuckMs(now) >= forMs).map(([id]) => id);
  }

  /** What came and was refused. */
  get refused(): number {
    return this.#refusals.total + this.#server.refused;
  }

  /** What came and was refused, by reason. Requests without the token are counted in `refused` only. */
  get refusals(): Readonly<Partial<Record<RefusalReason, number>>> {
    return this.#refusals.all;
  }

  get counts(): WireCounts {
    return this.#forgotten.with(this.#peers.values(), this.#refusals, this.#server.refused);
  }

  /** Waits until everything that was sent has come to where it goes, but not for long. */
  flush(withinMs: number): Promise<void> {
    return flushPeers(this.#peers, this.#clock, withinMs);
  }

  async close(): Promise<void> {
    this.#stopBeating();
    this.#closed.abort();
    for (const peer of this.#peers.values()) peer.close();
    await this.#server.close();
  }

  /** @internal */
  admit(url: URL, request: IncomingMessage, rights: Rights): Admission {
    const way = wayOf(url.pathname);
    if (way === undefined) {
      return this.#options.admit?.(url, request, rights) ?? { admitted: false, status: 404, reason: "nothing is here" };
    }
    if (rights !== "all") return { admitted: false, status: 403, reason: "this token only lets you look" };
    const hello = readHello(request.headers);
    if (typeof hello === "string") return this.#notAdmitted(400, "hello", hello);
    if (hello.to !== this.machine) {
      return this.#notAdmitted(statusGivenUp, "hello", `${hello.to} is gone: here is ${this.machine}`);
    }
    if (this.#options.security.tls !== undefined && !hello.url.startsWith("wss:")) {
      return this.#notAdmitted(400, "hello", `${hello.from} listens without TLS`);
    }
    return this.#admitMachine(way, hello);
  }

  #admitMachine(way: Way, hello: Hello): Admission {
    if (this.#gone.has(hello.from)) {
      return this.#notAdmitted(statusGivenUp, "given-up", `${hello.from} was given up`);
    }
    const known = this.#peers.get(hello.from);
    if (known === undefined && this.#peers.size >= peersMax) {
      return this.#notAdmitted(503, "hello", "there are too many machines");
    }
    const now = this.#clock.monotonic();
    const peer = known ?? new Peer(hello.from, hello.url, false, now);
    if (now < peer.shutOutUntil) return this.#notAdmitted(429, "too-soon", "what came before was nonsense");
    if (way === "data" && hello.received > peer.sending.data.last) {
      return this.#notAdmitted(statusGivenUp, "given-up", `${hello.from} was given up, and forgotten`);
    }
    return {
      admitted: true,
      headers: receivedHeaders(peer.receiving.control.received),
      connected: (visitor) => {
        this.#peers.set(peer.id, peer);
        this.#listen(peer, way, false, visitor);
        if (way === "data")
          this.#checked(peer, visitor.socket, () => peer.sending.data.attach(visitor, hello.received));
      },
    };
  }

  #notAdmitted(status: number, counted: RefusalReason, reason: string): Admission {
    this.#refusals.count(counted);
    return { admitted: false, status, reason };
  }

  #send(machine: string, way: Way, message: WireMessage): void {
    const peer = this.#peers.get(machine);
    if (peer === undefined || this.#closed.signal.aborted) {
      this.undelivered++;
      if (message.kind === "link") message.payload?.release();
      return;
    }
    peer.sending[way].send(message);
    const { keptBytesMax = keptBytesMaxDefault } = this.#options;
    if (peer.bytesKept > keptBytesMax) {
      this.#breakWith(peer, `it doesn't take what it is sent: more than ${keptBytesMax} bytes wait for it`);
    } else if (way === "control") this.#keepDialing(peer, "control");
    else if (!peer.sending.data.connected && !peer.askedForDial) {
      peer.askedForDial = true;
      this.#send(machine, "control", { kind: "dial" });
    }
  }

  /** Nothing goes to a machine any more, or comes from it. */
  #breakWith(peer: Peer, why: string): void {
    this.giveUp(peer.id);
    // Whoever sends just now isn't to hear of it in between.
    this.#clock.soon(() => {
      if (!this.#closed.signal.aborted) this.#options.givenUp?.(peer.id, why);
    });
  }

  #knows(peer: Peer): boolean {
    return !this.#closed.signal.aborted && this.#peers.get(peer.id) === peer;
  }

  #keepDialing(peer: Peer, way: Way): void {
    if (peer.dials.has(way)) return;
    peer.dials.add(way);
    void keepDialing({
      clock: this.#clock,
      signal: this.#closed.signal,
      wanted: () => this.#knows(peer),
      progress: () => peer.progress,
      dial: () => this.#dialOnce(peer, way),
      failed: (error) => {
        peer.failure = error;
        const gone = error instanceof MachineRefused && error.status === statusGivenUp;
        if (gone && this.#knows(peer)) this.#breakWith(peer, error.message);
      },
    });
  }

  /** Fulfilled when the connection is over. */
  async #dialOnce(peer: Peer, way: Way): Promise<void> {
    const { security, leaseMs, sockets = systemSockets } = this.#options;
    const hello = { from: this.machine, to: peer.id, url: this.url, received: peer.receiving[way].received };
    const { socket, stream, headers } = await sockets.dial(`${peer.url}/wire/${way}`, helloHeaders(hello), security, {
      signal: this.#closed.signal,
      withinMs: Math.min(dialWithinMs, Math.max(staleLeastMs, leaseMs / 2)),
      bulk: way === "data",
    });
    if (!this.#knows(peer)) {
      socket.terminate();
      return;
    }
    peer.failure = undefined;
    const ended = once(socket, "close");
    this.#listen(peer, way, true, { socket, stream });
    if (way === "control") this.#goOn(peer, { socket, stream }, receivedOf(headers));
    socket.resume();
    await ended;
  }

  /** What wasn't acknowledged is sent again, unless the other end doesn't know what was. */
  #goOn(peer: Peer, connection: Connection, received: number): void {
    const { control } = peer.sending;
    if (received < control.acknowledgedThrough) this.#breakWith(peer, "it has forgotten this machine");
    else this.#checked(peer, connection.socket, () => control.attach(connection, received));
  }

  #listen(peer: Peer, way: Way, dialed: boolean, connection: Connection): void {
    const { socket } = connection;
    peer.open(way, dialed, connection, this.#clock.monotonic(), () => {
      if (!peer.met && peer.unused && this.#knows(peer)) this.#peers.delete(peer.id);
    });
    // What a connection still holds when another took its place comes again over that one.
    const listens = (): boolean => socket.readyState === socket.OPEN && peer.uses(way, dialed, socket);
    socket.on("message", (data: RawData, isBinary: boolean) => {
      if (listens()) this.#checked(peer, socket, () => this.#received(peer, way, dialed, socket, data, isBinary));
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code?.startsWith("WS_ERR") !== true) return;
      this.#strike(peer, code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? "too-large" : "protocol");
    });
  }

  #received(peer: Peer, way: Way, dialed: boolean, socket: WebSocket, data: RawData, isBinary: boolean): void {
    if (!isBinary) throw new Refusal("protocol", "text came");
    const fragments = data as Buffer[];
    const { kind, number } = readStart(fragments);
    const lane = peer.receiving[way];
    switch (kind) {
      case "alive":
        peer.lives(way, dialed, number);
        return;
      case "acknowledge":
        peer.sending[way].acknowledged(number);
        return;
      case "ask":
        lane.acknowledge(socket, true);
        return;
      case "message":
    }
    if (!lane.expects(number)) return;
    const message = readMessage(fragments);
    if (way === "data" && message.kind !== "link") throw new Refusal("message", "it isn't one of a link");
    lane.take((fragments[0]?.byteLength ?? 0) + (fragments[1]?.byteLength ?? 0));
    peer.forgive();
    this.#take(peer, message);
    // Somebody may wait for the message; for the acknowledgement nobody does.
    lane.acknowledge(socket, false);
  }

  #take(peer: Peer, message: WireMessage): void {
    switch (message.kind) {
      case "link":
        this.#options.link(message.to, message.from, message.message);
        return;
      case "tell":
        taking(() => this.#options.told(peer.id, message.content));
        return;
      case "dial":
        this.#keepDialing(peer, "data");
    }
  }

  /** Who sends nonsense is hung up on. */
  #checked(peer: Peer, socket: WebSocket, take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      socket.terminate();
      this.#strike(peer, error.reason);
    }
  }

  /** What came from a machine, and was handed on, breaks who took it. */
  unreadable(machine: string): void {
    const peer = this.#peers.get(machine);
    if (peer !== undefined) this.#strike(peer, "taking");
  }

  /** Who does so again and again has to wait longer each time, and at last is given up. */
  #strike(peer: Peer, reason: RefusalReason): void {
    this.#refusals.count(reason);
    const isTooOften = peer.strike(this.#clock.monotonic());
    if ((isTooOften || reason === "taking") && this.#knows(peer)) {
      this.#breakWith(peer, `what comes from it can't be read (${reason})`);
    }
  }

  #beat(): void {
    this.#stopBeating = this.#clock.after(this.#beatMs, () => this.#beat());
    const now = this.#clock.monotonic();
    const heldUp = now - this.#lastBeatAt > 4 * this.#beatMs;
    this.#lastBeatAt = now;
    for (const peer of this.#peers.values()) peer.beat(now, this.#staleMs, heldUp);
    for (const machine of this.#watched) {
      const peer = this.#peers.get(machine);
      if (peer === undefined) continue;
      // If this process didn't run either, signs may wait to be read.
      if (heldUp) peer.heardAt = now;
      const silentMs = now - peer.heardAt;
      if (silentMs < this.#options.leaseMs) continue;
      this.#watched.delete(machine);
      this.#options.silent?.(machine, Math.round(silentMs), peer.failure);
    }
  }
}
