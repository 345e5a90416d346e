import { TurnHost } from "../../../../actors/hosts/turn-host.ts";
import { MemoryCoordination, type CoordinationBoard } from "../../../../actors/stores/memory-coordination.ts";
import type { Sockets } from "../../../../actors/transport/wire/sockets.ts";
import type { FileSystem } from "../../../core/contracts/file-system.ts";
import type { Coordination } from "../../../core/contracts/coordination.ts";
import type { LineageStore } from "../../../core/contracts/lineage-store.ts";
import type { ResumableFiles } from "../../../core/contracts/sink.ts";
import { QStreamError } from "../../../core/errors.ts";
import { delay } from "../../../core/seam/clock.ts";
import type { Random } from "../../../core/seam/random.ts";
import { CountingHost } from "../counting-host.ts";
import { FaultyStore } from "../faulty-store.ts";
import { Life, LivingClock } from "../life.ts";
import type { Trace } from "../trace.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { VirtualDrive } from "../virtual-disk.ts";
import { filesInVirtualTime } from "../virtual-files.ts";
import type { VirtualNetwork } from "../virtual-network.ts";
import type { HeadInvariants } from "./cluster-invariants.ts";
import type { SocketOwner } from "./virtual-socket.ts";
import type { VirtualSockets } from "./virtual-sockets.ts";

/** What all processes of a simulated cluster share. */
export interface ClusterSurroundings {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  readonly sockets: VirtualSockets;
  /** Between the threads of a machine, and between a head and its drivers. */
  readonly network: VirtualNetwork;
  readonly board: CoordinationBoard;
  readonly lineage: LineageStore;
  readonly files: FileSystem & ResumableFiles;
  readonly heads: HeadInvariants;
  /** A name that nobody else has. */
  readonly freshId: (prefix: string) => string;
  /** Makes the life of a process on a host. */
  readonly lifeOn?: ((host: string) => Life) | undefined;
}

/** The host that Redis is on, as far as hosts can be parted from it. */
export const storeHost = "redis";

const turnMs = 0.05;
const storeMostMs = 2;
const storeTimeoutMs = 100;
const apartMs = 0.001;

/** A process of a simulated cluster: what it has set off happens while it runs, waits while it is paused, and never when it is dead. */
export class SimulatedProcess implements SocketOwner {
  readonly name: string;
  readonly host: string;
  readonly life: Life;
  readonly clock: LivingClock;
  readonly sockets: Sockets;
  readonly files: FileSystem & ResumableFiles;
  readonly #around: ClusterSurroundings;
  readonly #stores: FaultyStore[] = [];
  readonly #hosts: CountingHost[] = [];
  readonly #ends: (() => void)[] = [];

  constructor(name: string, host: string, around: ClusterSurroundings) {
    const { clock, random, sockets, files } = around;
    this.name = name;
    this.host = host;
    this.#around = around;
    this.life = around.lifeOn?.(host) ?? new Life(clock);
    this.clock = new LivingClock(clock, this.life);
    this.sockets = sockets.of(this);
    this.files = filesInVirtualTime(files, { clock, random, life: this.life });
    this.note("starts");
  }

  get dead(): boolean {
    return this.life.dead;
  }

  /** Actors that weren't stopped when their host was closed. */
  get actorsLeft(): number {
    return this.#hosts.reduce((sum, host) => sum + host.left, 0);
  }

  note(what: string): void {
    this.#around.trace.add(this.#around.clock.monotonic(), this.name, what);
  }

  /** To be done when the process ends, however it does. */
  onEnd(action: () => void): void {
    this.#ends.push(action);
  }

  /**
   * Nothing of it happens any more.
   *
   * @param dark - its host lost its power: nobody is told that its connections are gone
   */
  kill(dark = false): void {
    if (this.dead) return;
    this.note(dark ? "is gone, with its host" : "is killed");
    this.#end(dark);
  }

  /** It has ended by itself. */
  exit(): void {
    if (this.dead) return;
    this.note("ends");
    this.#end(false);
  }

  pause(): void {
    if (this.dead || this.life.paused) return;
    this.note("is paused");
    this.life.pause();
  }

  resume(): void {
    if (!this.life.paused) return;
    this.note("goes on");
    this.life.resume();
  }

  /** Hosts actors, as a process hosts them. */
  actorHost(): CountingHost {
    const { random } = this.#around;
    const host = new CountingHost(new TurnHost(random, (turns) => void this.clock.after(random() * turnMs, turns)));
    this.#hosts.push(host);
    return host;
  }

  drive(): VirtualDrive {
    return new VirtualDrive({ clock: this.clock, random: this.#around.random });
  }

  /** A connection with the store of lineage. */
  openStore(): LineageStore {
    const { random, lineage, sockets } = this.#around;
    const store = new FaultyStore({
      clock: this.clock,
      random,
      make: () => lineage,
      mostMs: storeMostMs,
      timeoutMs: storeTimeoutMs,
      onCall: () => {
        // Looked at when a call is made and when it is answered: it may have been done, and the answer doesn't come.
        if (sockets.reaches(this.host, storeHost) && sockets.reaches(storeHost, this.host)) store.comeBack();
        else store.leave();
      },
    });
    this.#stores.push(store);
    return store;
  }

  /** A connection with what heads share, for a head of this process. */
  openCoordination(head: string): Coordination {
    const { board, heads, clock, random } = this.#around;
    // None overtakes another on one connection.
    let lastMs = 0;
    const turnMs = (): number => {
      const now = clock.monotonic();
      lastMs = Math.max(lastMs, now + random() ** 2 * storeMostMs) + apartMs;
      return lastMs - now;
    };
    const direct = new MemoryCoordination(board, head);
    const watched = heads.watch(head, direct);
    return new Proxy(watched, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name === "close") return () => {};
        return (...args: unknown[]) =>
          this.#asked(String(name), turnMs(), async () => Reflect.apply(value, target, args) as unknown);
      },
    });
  }

  /** Does a call to Redis, as far as that can be reached. It may be done without an answer. */
  async #asked(name: string, onItsWayMs: number, call: () => Promise<unknown>): Promise<unknown> {
    const { random, sockets } = this.#around;
    await delay(this.clock, onItsWayMs);
    if (!sockets.reaches(this.host, storeHost)) return this.#unanswered(name);
    const settled = await call().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error as Error }),
    );
    await delay(this.clock, random() ** 2 * storeMostMs);
    if (!sockets.reaches(storeHost, this.host)) return this.#unanswered(name);
    if ("error" in settled) throw settled.error;
    return settled.value;
  }

  async #unanswered(name: string): Promise<never> {
    await delay(this.clock, storeTimeoutMs);
    throw new QStreamError("STORE_UNAVAILABLE", `the simulated Redis didn't answer ${name}`);
  }

  #end(dark: boolean): void {
    this.life.end();
    this.#around.sockets.kill(this, dark);
    for (const store of this.#stores) store.disconnect();
    for (const action of this.#ends.splice(0)) action();
  }
}
