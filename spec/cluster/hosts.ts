import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  headReady,
  startClusterProcess,
  workerReady,
  type ClusterProcess,
} from "../../lib/testing/loopback-cluster.ts";
import { makePapers, type Papers } from "../kit/certificates.ts";
import { Network, type Host } from "../kit/network-namespaces.ts";
import { startRedisServer, type RedisServer } from "../kit/redis-server.ts";

export interface HostsOptions {
  readonly workers: number;
  readonly leaseMs: number;
  readonly bytesPerSecond: number;
  /** Milliseconds that parcels and orders take, on their way and back. */
  readonly delayMs: number;
}

interface WorkerHost {
  readonly host: Host;
  readonly process: ClusterProcess;
}

const headPort = 7420;
const workerPort = 7430;
const relayPort = 7431;
const relayProgram = fileURLToPath(new URL("../kit/wire-relay.js", import.meta.url));

/** A cluster on hosts of their own: Redis on one, the head on one, and a worker of one slot on each of the others. */
export class Hosts {
  readonly network: Network;
  readonly redisHost: Host;
  readonly headHost: Host;
  readonly #options: HostsOptions;
  readonly #workers: WorkerHost[] = [];
  readonly #relays: ChildProcess[] = [];
  readonly #redis: RedisServer;
  readonly #papers: Papers;
  #head: ClusterProcess | undefined;

  private constructor(
    options: HostsOptions,
    parts: { network: Network; redisHost: Host; headHost: Host; redis: RedisServer; papers: Papers },
  ) {
    this.#options = options;
    this.network = parts.network;
    this.redisHost = parts.redisHost;
    this.headHost = parts.headHost;
    this.#redis = parts.redis;
    this.#papers = parts.papers;
  }

  static async start(options: HostsOptions): Promise<Hosts> {
    const network = await Network.open();
    const redisHost = await network.addHost("redis");
    const headHost = await network.addHost("head", options);
    const workerHosts: Host[] = [];
    for (let index = 0; index < options.workers; index++) {
      // oxlint-disable-next-line no-await-in-loop -- addresses are given in turn
      workerHosts.push(await network.addHost(`worker${index}`, options));
    }
    const settings = { requirepass: randomBytes(16).toString("hex") };
    const [redis, papers] = await Promise.all([
      startRedisServer({ host: redisHost, settings }),
      makePapers(network.addresses),
    ]);
    const hosts = new Hosts(options, { network, redisHost, headHost, redis, papers });
    await hosts.#startHead();
    hosts.#workers.push(...(await Promise.all(workerHosts.map((host) => hosts.#startWorker(host)))));
    return hosts;
  }

  get url(): string {
    return `wss://${this.headHost.address}:${headPort}`;
  }

  get token(): string {
    return this.#papers.token;
  }

  get tls(): Papers["tls"] {
    return this.#papers.tls;
  }

  get workers(): readonly WorkerHost[] {
    return this.#workers;
  }

  worker(index: number): WorkerHost {
    const worker = this.#workers[index];
    if (worker === undefined) throw new Error(`there is no worker ${index}`);
    return worker;
  }

  /** Ends all processes, by force: the hosts go with this process. */
  async stop(): Promise<void> {
    for (const relay of this.#relays) relay.kill("SIGKILL");
    await Promise.all(this.#workers.map(({ process }) => process.kill()));
    await this.#head?.kill();
    await this.#redis.stop();
    await this.#papers.remove();
  }

  async #startHead(): Promise<void> {
    const bind = `${this.headHost.address}:${headPort}`;
    const words = ["head", "--store", this.#redis.url, "--bind", bind, ...this.#commonWords];
    this.#head = await startClusterProcess(words, headReady, { within: this.headHost.within });
  }

  async #startWorker(host: Host): Promise<WorkerHost> {
    const [bind, advertise] = [`${host.address}:${workerPort}`, `${host.address}:${relayPort}`];
    await this.#startRelay(host, advertise, bind);
    const place = ["--bind", bind, "--advertise", advertise];
    const words = ["worker", "--join", this.url, "--slots", "1", ...place, ...this.#commonWords];
    return { host, process: await startClusterProcess(words, workerReady, { within: host.within }) };
  }

  async #startRelay({ within }: Host, listen: string, target: string): Promise<void> {
    const words = [...within, process.execPath, relayProgram, listen, target, String(this.#options.delayMs)];
    const [command = "", ...rest] = words;
    const relay = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
    this.#relays.push(relay);
    await once(relay.stdout, "data");
  }

  get #commonWords(): readonly string[] {
    return ["--lease-ms", String(this.#options.leaseMs), ...this.#papers.words];
  }
}
