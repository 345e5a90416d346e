import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { QStreamError } from "../core/errors.ts";

export interface LoopbackClusterOptions {
  /** `redis://...`: a Redis that the cluster may use. */
  readonly store: string;
  /** How many machines, each a process. Default 2. */
  readonly machines?: number;
  /** How many heads: one leads, the others wait. Default 1. */
  readonly heads?: number;
  /** Slots of each. Default 1. */
  readonly slots?: number;
  /** Milliseconds without a sign of life after which a machine is given up. Default 5,000. */
  readonly leaseMs?: number;
  /** More words for `qstream head` and `qstream worker`: certificates, say. */
  readonly headWords?: readonly string[];
  readonly workerWords?: readonly string[];
  /** The folder in which they are started, where flows find packages with machine code. Default: that of this process. */
  readonly folder?: string;
}

/** A process of a cluster. */
export interface ClusterProcess {
  /** Its name in the cluster; empty for a head. */
  readonly id: string;
  readonly url: string;
  readonly pid: number;
  /** What it has written so far. */
  readonly output: () => string;
  /** As kill -9. */
  readonly kill: () => Promise<void>;
  /** As SIGSTOP. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** As Ctrl-C: it ends in order. */
  readonly end: () => Promise<number | null>;
  /** Fulfilled with its exit code once it has ended, by itself or not. */
  readonly ended: Promise<number | null>;
}

const startMs = 20_000;
const outputCharactersMax = 1 << 20;
const program = fileURLToPath(new URL("../cli/main.js", import.meta.url));

/**
 * A cluster in processes of this machine: a head and some workers, which talk over loopback as they would over a network.
 *
 * @example
 * await using machines = await LoopbackCluster.start({ store: "redis://127.0.0.1:6379/5" });
 * await using session = await cluster({ url: machines.url });
 * await flow.run(args, { on: session });
 */
export class LoopbackCluster implements AsyncDisposable {
  readonly #options: LoopbackClusterOptions;
  /** The first one that was started. */
  readonly head: ClusterProcess;
  /** All, in the order in which they were started. */
  readonly heads: ClusterProcess[];
  readonly machines: ClusterProcess[] = [];

  private constructor(options: LoopbackClusterOptions, head: ClusterProcess) {
    this.#options = options;
    this.head = head;
    this.heads = [head];
  }

  /** @throws QStreamError MACHINE_UNREACHABLE with what a process wrote that didn't come up */
  static async start(options: LoopbackClusterOptions): Promise<LoopbackCluster> {
    const cluster = new LoopbackCluster(options, await startHead(options));
    try {
      // oxlint-disable-next-line no-await-in-loop -- in this order: the first one leads
      for (let others = 1; others < (options.heads ?? 1); others++) await cluster.addHead();
      const count = options.machines ?? 2;
      await Promise.all(Array.from({ length: count }, () => cluster.addMachine()));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Where its head listens: for `cluster({ url })`, or --cluster. */
  get url(): string {
    return this.head.url;
  }

  /**
   * Starts another head, which waits while one leads. Machines that are started from now on know it; those that run do, where it is
   * bound to the address of one that they knew: `["--bind", "127.0.0.1:4000"]`.
   */
  async addHead(words: readonly string[] = []): Promise<ClusterProcess> {
    const head = await startHead(this.#options, words);
    this.heads.push(head);
    return head;
  }

  /** Starts another machine. It has joined once the promise is fulfilled. */
  async addMachine(words: readonly string[] = []): Promise<ClusterProcess> {
    const { slots = 1, leaseMs = leaseMsDefault, workerWords = [], folder } = this.#options;
    const machine = await startClusterProcess(
      [
        "worker",
        "--join",
        this.heads.map(({ url }) => url).join(),
        "--slots",
        String(slots),
        "--lease-ms",
        String(leaseMs),
        ...workerWords,
        ...words,
      ],
      workerReady,
      { folder },
    );
    this.machines.push(machine);
    return machine;
  }

  /** Ends all of its processes. */
  async stop(): Promise<void> {
    const processes = [...this.machines, ...this.heads];
    // One that was paused hears nothing.
    for (const one of processes) one.resume();
    await Promise.all(processes.map((one) => one.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

const leaseMsDefault = 5000;

function startHead(options: LoopbackClusterOptions, more: readonly string[] = []): Promise<ClusterProcess> {
  const { store, leaseMs = leaseMsDefault, headWords = [], folder } = options;
  const words = ["head", "--store", store, "--lease-ms", String(leaseMs), ...headWords, ...more];
  const bind = words.includes("--bind") ? [] : ["--bind", "127.0.0.1:0"];
  return startClusterProcess([...words, ...bind], headReady, { folder });
}

/** Where a process of a cluster is started. */
export interface ProcessPlace {
  /** Words before the command, for one that starts it elsewhere: `ip netns exec host`. */
  readonly within?: readonly string[];
  readonly folder?: string | undefined;
}

/** What a head and a worker write once they can be used. */
export const headReady = /^head at (?<url>\S+)$/mu;
export const workerReady = /^machine (?<id>\S+) at (?<url>\S+), [^]*^joined /mu;

/**
 * Starts `qstream` with some words, and waits until what it writes matches. The match's groups `id` and `url` are what it is
 * called and where it listens.
 *
 * @throws QStreamError MACHINE_UNREACHABLE with what it wrote, if it doesn't come up
 */
export async function startClusterProcess(
  words: readonly string[],
  ready: RegExp,
  { within = [], folder }: ProcessPlace = {},
): Promise<ClusterProcess> {
  const [command = "", ...rest] = [...within, process.execPath, "--enable-source-maps", program, ...words];
  const child = spawn(command, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  // A program that ends without a word leaves nothing behind.
  const endOnExit = (): void => void child.kill("SIGKILL");
  process.once("exit", endOnExit);
  child.once("exit", () => process.off("exit", endOnExit));
  let written = "";
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    const failed = (why: string): void => {
      clearTimeout(timer);
      reject(new QStreamError("MACHINE_UNREACHABLE", `qstream ${words[0]} ${why}: ${written.slice(-2000)}`));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      failed(`wasn't ready for ${startMs} ms`);
    }, startMs);
    const look = (chunk: Buffer): void => {
      written = `${written}${chunk.toString("utf8")}`.slice(-outputCharactersMax);
      const match = ready.exec(written);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.once("exit", (code) => failed(`ended with ${code}`));
  });
  return processOf(child, found.groups ?? {}, () => written);
}

function processOf(child: ChildProcess, found: Readonly<Record<string, string>>, output: () => string): ClusterProcess {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve([]);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    id: found["id"] ?? "",
    url: found["url"] ?? "",
    pid: child.pid ?? 0,
    output,
    kill: async () => void (await end("SIGKILL")),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    end: () => end("SIGINT"),
    ended: ended.then(() => child.exitCode),
  };
}
