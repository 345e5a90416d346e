import { setMaxListeners } from "node:events";
import { MachineRefused, type DialOptions, type Dialed } from "../../../../actors/transport/wire/dial.ts";
import type { Admission, ServerOptions } from "../../../../actors/transport/wire/server.ts";
import type { Listener, Sockets } from "../../../../actors/transport/wire/sockets.ts";
import { QStreamError } from "../../../core/errors.ts";
import { delay, type Clock } from "../../../core/seam/clock.ts";
import type { Random } from "../../../core/seam/random.ts";
import type { Trace } from "../trace.ts";
import type { Latency } from "../virtual-network.ts";
import { lowerCased, requestOf, VirtualSocket, type Item, type SocketOwner } from "./virtual-socket.ts";

export interface VirtualSocketsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace?: Trace | undefined;
  readonly latency?: Latency;
}

/** What became of connections and of what travelled on them. */
export interface SocketCounts {
  dialed: number;
  refused: number;
  messages: number;
  bytes: number;
  /** Lost with their connection. */
  lost: number;
  /** Connections that broke though nobody wanted it. */
  broken: number;
}

/** What a host has sent and got. */
export interface HostTraffic {
  messagesOut: number;
  bytesOut: number;
  messagesIn: number;
  bytesIn: number;
}

interface Listening extends Listener {
  readonly owner: SocketOwner;
  readonly options: ServerOptions;
}

/** One direction of a connection. */
interface Pipe {
  readonly to: () => VirtualSocket;
  /** The other direction. */
  readonly back: () => Pipe;
  readonly fromHost: string;
  readonly toHost: string;
  queue: { readonly item: Item; readonly dueMs: number }[];
  moving: boolean;
  lastDueMs: number;
}

interface Connection {
  readonly ends: readonly [VirtualSocket, VirtualSocket];
  readonly pipes: readonly [Pipe, Pipe];
}

const latencyDefault: Latency = { leastMs: 0.2, mostMs: 5 };
const dialWithinMs = 5000;
// A lost request for a connection is sent again.
const againMs = 40;
const firstPort = 40_000;
const toleranceMs = 1e-6;

/**
 * The sockets of a simulated world, between processes on hosts. A connection keeps order, and delivers or breaks; connections are
 * independent of each other. Hosts can be parted one way or both: what they send each other waits, as long as nobody gives the
 * connection up.
 */
export class VirtualSockets {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Trace | undefined;
  readonly #latency: Latency;
  readonly #listening = new Map<string, Listening>();
  readonly #connections = new Set<Connection>();
  readonly #parted = new Set<string>();
  /** Hosts that lost their power: they refuse nothing. */
  readonly #dark = new Set<string>();
  #slowness = 1;
  #nextPort = firstPort;
  readonly #traffic = new Map<string, HostTraffic>();
  readonly counts: SocketCounts = { dialed: 0, refused: 0, messages: 0, bytes: 0, lost: 0, broken: 0 };

  constructor(options: VirtualSocketsOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#trace = options.trace;
    this.#latency = options.latency ?? latencyDefault;
  }

  /** Sockets as one process has them. */
  of(owner: SocketOwner): Sockets {
    return {
      clock: owner.clock,
      listen: async (options) => this.#listen(owner, options),
      dial: (url, headers, _, options) => this.#dial(owner, url, headers, options ?? {}),
    };
  }

  /** Parts two hosts; one way only, if told so. */
  part(from: string, to: string, oneWay = false): void {
    this.#parted.add(pairKey(from, to));
    if (!oneWay) this.#parted.add(pairKey(to, from));
    this.#note(oneWay ? `${from} doesn't reach ${to}` : `${from} and ${to} are parted`);
  }

  join(one: string, other: string): void {
    this.#parted.delete(pairKey(one, other));
    this.#parted.delete(pairKey(other, one));
    this.#note(`${one} and ${other} are joined`);
    this.#moveAll();
  }

  joinAll(): void {
    this.#parted.clear();
    this.#slowness = 1;
    this.#moveAll();
  }

  /** True if what the first sends gets to the second. */
  reaches(from: string, to: string): boolean {
    return !this.#parted.has(pairKey(from, to));
  }

  /** What is sent from now on takes so many times as long. */
  slow(factor: number): void {
    this.#slowness = factor;
  }

  /** Breaks all connections of two hosts: a part of what is on its way is lost. Returns how many. */
  break(one: string, other: string): number {
    let broken = 0;
    for (const { ends, pipes } of this.#connections) {
      const hosts = ends.map(({ owner }) => owner.host);
      if (!hosts.includes(one) || !hosts.includes(other)) continue;
      broken++;
      for (const pipe of pipes) {
        this.#loseSome(pipe);
        this.#carry(pipe, { kind: "reset" });
      }
    }
    this.counts.broken += broken;
    return broken;
  }

  /** A process is dead. Whoever is connected with it is told, unless its host lost its power. */
  kill(owner: SocketOwner, dark: boolean): void {
    if (dark) this.#dark.add(owner.host);
    for (const [address, { owner: other }] of this.#listening) if (other === owner) this.#listening.delete(address);
    for (const connection of this.#connections) {
      connection.ends.forEach((end, index) => {
        if (end.owner !== owner) return;
        end.abandon();
        const pipe = connection.pipes[index];
        if (pipe === undefined) return;
        this.#loseSome(pipe);
        if (!dark) this.#carry(pipe, { kind: "reset" });
      });
    }
  }

  /** A host has power again. */
  lightUp(host: string): void {
    this.#dark.delete(host);
  }

  /** What a host has sent and got so far. */
  trafficOf(host: string): HostTraffic {
    let traffic = this.#traffic.get(host);
    if (traffic === undefined) {
      this.#traffic.set(host, (traffic = { messagesOut: 0, bytesOut: 0, messagesIn: 0, bytesIn: 0 }));
    }
    return traffic;
  }

  async #listen(owner: SocketOwner, options: ServerOptions): Promise<Listener> {
    const port = options.bind.port === 0 ? this.#nextPort++ : options.bind.port;
    const address = `${owner.host}:${port}`;
    const listening: Listening = {
      owner,
      options,
      port,
      refused: 0,
      close: async () => {
        if (this.#listening.get(address) === listening) this.#listening.delete(address);
        for (const { ends } of this.#connections) {
          const [, accepted] = ends;
          if (accepted.owner === owner) accepted.terminate();
        }
      },
    };
    this.#listening.set(address, listening);
    return listening;
  }

  async #dial(
    owner: SocketOwner,
    text: string,
    headers: Readonly<Record<string, string>>,
    { signal, withinMs = dialWithinMs }: DialOptions,
  ): Promise<Dialed> {
    const url = new URL(text);
    const { clock } = owner;
    const unreachable = (why: string): QStreamError =>
      new QStreamError("MACHINE_UNREACHABLE", `${url.host} can't be reached: ${why}`);
    const until = clock.monotonic() + withinMs;
    this.counts.dialed++;
    await delay(clock, this.#latencyMs());
    while (this.#dark.has(url.hostname) || !this.#together(owner.host, url.hostname)) {
      if (signal?.aborted === true || clock.monotonic() >= until) throw unreachable("nothing answers");
      // oxlint-disable-next-line no-await-in-loop -- until it is there
      await delay(clock, againMs);
    }
    const listening = this.#listening.get(url.host);
    if (listening === undefined) throw unreachable("nobody listens");
    const answer = await this.#answered(owner, listening, url, headers, until);
    if (answer === undefined || signal?.aborted === true) throw unreachable("nothing answers");
    if (!answer.admission.admitted) {
      this.counts.refused++;
      throw new MachineRefused(answer.admission.status, `${url.host} refused: ${answer.admission.reason}`, "");
    }
    const [socket] = answer.connection?.ends ?? [];
    if (socket === undefined) throw unreachable("it hung up");
    const abort = (): void => socket.terminate();
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", abort));
    return { socket: socket.asWebSocket, stream: socket.asStream, headers: lowerCased(answer.admission.headers) };
  }

  /** The other process looks at a request when it runs; undefined where that comes too late. */
  #answered(
    owner: SocketOwner,
    { owner: other, options }: Listening,
    url: URL,
    headers: Readonly<Record<string, string>>,
    until: number,
  ): Promise<{ readonly admission: Admission; readonly connection?: Connection } | undefined> {
    return new Promise((resolve) => {
      const stopWaiting = owner.clock.after(until - owner.clock.monotonic(), () => resolve(undefined));
      const answer = (admission: Admission, connection?: Connection): void => {
        owner.clock.after(this.#latencyMs(), () => {
          const isLate = owner.clock.monotonic() >= until;
          if (isLate) connection?.ends[0].terminate();
          else stopWaiting();
          resolve(isLate ? undefined : { admission, ...(connection === undefined ? {} : { connection }) });
        });
      };
      other.life.enter(() => {
        const request = requestOf(headers);
        const admission = options.admit(url, request, "all");
        if (!admission.admitted) {
          answer(admission);
          return;
        }
        const connection = this.#connect(owner, other);
        const { ends } = connection;
        // Whoever dialled hears of it before what is sent on it.
        answer(admission, connection);
        const [, accepted] = ends;
        const visitor = {
          socket: accepted.asWebSocket,
          stream: accepted.asStream,
          request,
          url,
          rights: "all" as const,
        };
        admission.connected(visitor);
      });
    });
  }

  #connect(dialing: SocketOwner, accepting: SocketOwner): Connection {
    const pipe = (from: SocketOwner, to: SocketOwner, end: 0 | 1): Pipe => ({
      to: () => connection.ends[end],
      back: () => connection.pipes[end],
      fromHost: from.host,
      toHost: to.host,
      queue: [],
      moving: false,
      lastDueMs: 0,
    });
    const pipes = [pipe(dialing, accepting, 1), pipe(accepting, dialing, 0)] as const;
    const end = (owner: SocketOwner, own: Pipe, paused: boolean): VirtualSocket =>
      new VirtualSocket({
        owner,
        paused,
        carry: (item) => this.#carry(own, item),
        lose: () => this.#loseSome(own),
      });
    const connection: Connection = { ends: [end(dialing, pipes[0], true), end(accepting, pipes[1], false)], pipes };
    this.#connections.add(connection);
    return connection;
  }

  #carry(pipe: Pipe, item: Item): void {
    if (item.kind === "message") {
      const bytes = item.fragments.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const [from, to] = [this.trafficOf(pipe.fromHost), this.trafficOf(pipe.toHost)];
      this.counts.messages++;
      this.counts.bytes += bytes;
      from.messagesOut++;
      from.bytesOut += bytes;
      to.messagesIn++;
      to.bytesIn += bytes;
    }
    pipe.lastDueMs = Math.max(pipe.lastDueMs, this.#clock.monotonic() + this.#latencyMs());
    pipe.queue.push({ item, dueMs: pipe.lastDueMs });
    this.#move(pipe);
  }

  #loseSome(pipe: Pipe): void {
    const kept = Math.floor(this.#random() * (pipe.queue.length + 1));
    this.counts.lost += pipe.queue.length - kept;
    pipe.queue.length = kept;
  }

  #move(pipe: Pipe): void {
    const [first] = pipe.queue;
    if (pipe.moving || first === undefined || !this.#passes(pipe)) return;
    pipe.moving = true;
    this.#clock.after(first.dueMs - this.#clock.monotonic(), () => this.#arrive(pipe));
  }

  #moveAll(): void {
    for (const { pipes } of this.#connections) for (const pipe of pipes) this.#move(pipe);
  }

  #arrive(pipe: Pipe): void {
    pipe.moving = false;
    const first = this.#passes(pipe) ? pipe.queue[0] : undefined;
    if (first === undefined) return;
    if (first.dueMs > this.#clock.monotonic() + toleranceMs) {
      this.#move(pipe);
      return;
    }
    pipe.queue.shift();
    const end = pipe.to();
    this.#move(pipe);
    const { kind } = first.item;
    // Nobody is there any more: what doesn't say the same is answered so.
    if (end.owner.life.dead && kind !== "reset" && kind !== "end") this.#carry(pipe.back(), { kind: "reset" });
    else end.owner.life.enter(() => end.arrived(first.item));
    if (kind === "reset" || kind === "end") this.#tidy();
  }

  /** Connections that nobody uses any more are forgotten. */
  #tidy(): void {
    for (const connection of this.#connections) {
      const { ends, pipes } = connection;
      const over = ends.every((end) => end.over) && pipes.every(({ queue }) => queue.length === 0);
      if (over) this.#connections.delete(connection);
    }
  }

  #passes({ fromHost, toHost }: Pipe): boolean {
    return this.reaches(fromHost, toHost) && !this.#dark.has(toHost);
  }

  #together(one: string, other: string): boolean {
    return this.reaches(one, other) && this.reaches(other, one);
  }

  #latencyMs(): number {
    const { leastMs, mostMs } = this.#latency;
    // Most are quick, a few take long.
    return (leastMs + (mostMs - leastMs) * this.#random() ** 3) * this.#slowness;
  }

  #note(what: string): void {
    this.#trace?.add(this.#clock.monotonic(), "network", what);
  }
}

function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}
