// What goes wrong in a cluster of processes, each for less than ten seconds.

import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "../../lib/core/seam/random.ts";
import { cluster } from "../../lib/index.ts";
import type { ClusterProcess, LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import type { BrokenRelay } from "../kit/broken-relay.ts";
import type { RedisServer } from "../kit/redis-server.ts";
import { addBehindRelay } from "./behind-relay.ts";
import { childrenOf } from "./children.ts";
import { leaderOf } from "./leader-of.ts";

/** What faults need. */
export interface SoakedCluster {
  readonly machines: LoopbackCluster;
  readonly redis: RedisServer;
  readonly leaseMs: number;
}

/** Faults of a cluster whose machines are reached by relays. */
export class ClusterFaults {
  readonly #soaked: SoakedCluster;
  readonly #random: Random;
  /** By the machine that is behind each. */
  readonly #relays = new Map<string, BrokenRelay>();

  constructor(soaked: SoakedCluster, random: Random) {
    this.#soaked = soaked;
    this.#random = random;
  }

  /** All kinds, by name. Each is fulfilled when it is over. */
  get kinds(): Readonly<Record<string, () => Promise<void>>> {
    const { redis, leaseMs } = this.#soaked;
    const beyondLease = 1.5 * leaseMs;
    return {
      "a worker killed": () => this.#replace(this.#anyMachine()),
      "two workers killed": async () => {
        await Promise.all(this.#soaked.machines.machines.slice(0, 2).map((machine) => this.#replace(machine)));
      },
      "a worker paused": () => paused(this.#anyMachine(), leaseMs / 3),
      "a worker paused beyond its lease": () => paused(this.#anyMachine(), beyondLease),
      "a worker drained, and another one joins": () => this.#drain(this.#anyMachine()),
      "the connections with a worker cut": async () => this.#anyRelay().cut(),
      "a worker that others don't reach": () => stalled(this.#anyRelay(), leaseMs / 3),
      "a worker that others don't reach, beyond its lease": () => stalled(this.#anyRelay(), beyondLease),
      "the head killed": () => this.#killHead(),
      "the head paused": async () => paused(await this.#leader(), leaseMs / 3),
      "the head paused beyond its lease": async () => paused(await this.#leader(), beyondLease),
      "the drivers killed": async () => {
        for (const driver of await this.#drivers()) signal(driver, "SIGKILL");
      },
      "the drivers paused beyond their lease": async () => {
        const drivers = await this.#drivers();
        for (const driver of drivers) signal(driver, "SIGSTOP");
        await wait(beyondLease);
        for (const driver of drivers) signal(driver, "SIGCONT");
      },
      "Redis killed": async () => {
        await redis.kill();
        await wait(500);
        await redis.restart();
      },
      "Redis paused": async () => {
        redis.pause();
        await wait(1000);
        redis.resume();
      },
    };
  }

  /** Starts another machine, behind a relay. */
  async addMachine(): Promise<void> {
    const { machine, relay } = await addBehindRelay(this.#soaked.machines);
    this.#relays.set(machine.id, relay);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }

  #anyMachine(): ClusterProcess {
    return this.#pick(this.#soaked.machines.machines);
  }

  #anyRelay(): BrokenRelay {
    return this.#pick([...this.#relays.values()]);
  }

  #leader(): Promise<ClusterProcess> {
    return leaderOf(this.#soaked.machines);
  }

  /** Processes of the head that leads: those that run flows, and the one that waits for the next. */
  async #drivers(): Promise<readonly number[]> {
    return childrenOf((await this.#leader()).pid);
  }

  async #replace(machine: ClusterProcess): Promise<void> {
    this.#leaves(machine);
    await machine.kill();
    await this.#forget(machine);
    await this.addMachine();
  }

  async #drain(machine: ClusterProcess): Promise<void> {
    this.#leaves(machine);
    await this.addMachine();
    await using session = await cluster({ url: (await this.#leader()).url });
    await session.drain(machine.id);
    await machine.ended;
    await this.#forget(machine);
  }

  #leaves(machine: ClusterProcess): void {
    const { machines } = this.#soaked.machines;
    machines.splice(machines.indexOf(machine), 1);
  }

  async #forget({ id }: ClusterProcess): Promise<void> {
    await this.#relays.get(id)?.close();
    this.#relays.delete(id);
  }

  /** Another head leads; the one that was killed is started again where everybody knows it. */
  async #killHead(): Promise<void> {
    const { machines } = this.#soaked;
    const head = await this.#leader();
    machines.heads.splice(machines.heads.indexOf(head), 1);
    await head.kill();
    await machines.addHead(["--bind", new URL(head.url).host]);
  }
}

async function paused(one: ClusterProcess, ms: number): Promise<void> {
  one.pause();
  await wait(ms);
  one.resume();
}

async function stalled(relay: BrokenRelay, ms: number): Promise<void> {
  relay.stall();
  await wait(ms);
  relay.goOn();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
