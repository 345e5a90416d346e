// A real redis-server for specs: the one on PATH, else on Debian and Ubuntu one that is downloaded and unpacked, without root,
// into node_modules/.cache.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants, existsSync, rmSync } from "node:fs";
import { access, cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createClient } from "redis";
import { freePort } from "./free-port.ts";

export interface RedisServerOptions {
  /** Writes a file of what was done, and flushes it with each write: it survives its server's end. Default false. */
  readonly appendOnly?: boolean;
  /** More settings as on the command line: `{ maxmemory: "4mb" }`. A `requirepass` is also in the URL. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Another host to run it on: its address, and words before a command which is to run there. Wants a `requirepass`. */
  readonly host?: { readonly address: string; readonly within: readonly string[] };
}

/** A server of a spec's own, on a free port of this machine and with a folder that goes with it. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** As SIGSTOP: connections stay, and nothing is answered. */
  pause: () => void;
  resume: () => void;
  /** As kill -9. */
  kill: () => Promise<void>;
  /** Keeps a copy of what it has written by now. */
  remember: () => Promise<void>;
  /** Kills it if it runs, and starts it again on its port, with what it had written. */
  restart: (options?: RestartOptions) => Promise<void>;
  /** Takes its folder away while it runs: it can't save any more. */
  loseFolder: () => Promise<void>;
  /** Ends it and removes its folder. */
  stop: () => Promise<void>;
}

/** What a server that is started again hasn't. */
export interface RestartOptions {
  /** Anything that it had written. */
  readonly empty?: boolean;
  /** What it has written since it was told to remember: as after a failover to one that was behind. */
  readonly behind?: boolean;
}

interface Program {
  readonly path: string;
  readonly libraries: string | undefined;
}

// This file is in dist/spec/kit.
const cacheFolder = fileURLToPath(new URL("../../../node_modules/.cache/qstream", import.meta.url));
const startMs = 10_000;
const downloadMs = 120_000;
const startsMax = 3;
const run = promisify(execFile);
let program: Promise<Program | undefined> | undefined;

/**
 * True if a server can be had. Where it can't, `skipped: needs redis-server` is printed, which the runner counts as skipped, and as
 * failed when CI is set.
 */
export async function hasRedisServer(): Promise<boolean> {
  const found = await (program ??= findProgram());
  if (found === undefined) console.log("skipped: needs redis-server");
  return found !== undefined;
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const found = await (program ??= findProgram());
  if (found === undefined) throw new Error("there is no redis-server");
  for (let left = startsMax - 1; ; left--) {
    // oxlint-disable-next-line no-await-in-loop -- another process may have taken the port meanwhile
    const folder = await mkdtemp(join(tmpdir(), "qstream-redis-"));
    // oxlint-disable-next-line no-await-in-loop -- see above
    const server = new OwnServer(found, folder, await freePort(), options);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await server.restart();
      return server;
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await server.stop();
      if (left === 0) throw error;
    }
  }
}

class OwnServer implements RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #program: Program;
  readonly #folder: string;
  readonly #settings: readonly string[];
  readonly #within: readonly string[];
  readonly #endOnExit = (): void => {
    this.#child?.kill("SIGKILL");
    for (const folder of [this.#folder, this.#copy]) rmSync(folder, { recursive: true, force: true });
  };
  #child: ChildProcess | undefined;

  get #copy(): string {
    return `${this.#folder}-copy`;
  }

  constructor(found: Program, folder: string, port: number, options: RedisServerOptions) {
    const { appendOnly = false, settings = {}, host = { address: "127.0.0.1", within: [] } } = options;
    this.#program = found;
    this.#within = host.within;
    this.#folder = folder;
    this.port = port;
    const password = settings["requirepass"];
    const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    this.url = `redis://${user}${host.address}:${port}/0`;
    const log = { appendonly: appendOnly ? "yes" : "no", appendfsync: "always" };
    const all = { bind: host.address, port: String(port), dir: folder, save: "", daemonize: "no", ...log, ...settings };
    this.#settings = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    process.once("exit", this.#endOnExit);
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async remember(): Promise<void> {
    // Meanwhile it writes nothing.
    this.pause();
    await rm(this.#copy, { recursive: true, force: true });
    await cp(this.#folder, this.#copy, { recursive: true });
    this.resume();
  }

  async restart({ empty = false, behind = false }: RestartOptions = {}): Promise<void> {
    await this.kill();
    if (empty || behind) await this.loseFolder();
    if (empty) await mkdir(this.#folder);
    if (behind) await cp(this.#copy, this.#folder, { recursive: true });
    const { path, libraries } = this.#program;
    const env = libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
    const [command = "", ...words] = [...this.#within, path, ...this.#settings];
    const child = spawn(command, words, { stdio: "ignore", env });
    child.on("error", () => {});
    this.#child = child;
    await answers(this.url, child);
  }

  async loseFolder(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    process.off("exit", this.#endOnExit);
    await this.kill();
    await this.loseFolder();
    await rm(this.#copy, { recursive: true, force: true });
  }
}

/** Waits until the server is ready: this one, and not another that has its port. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startMs;
  for (;;) {
    const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 500 } });
    client.on("error", () => {});
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it is there
      await client.connect();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await client.ping();
      // oxlint-disable-next-line no-await-in-loop -- see above
      const [, pid] = /^process_id:(\d+)/mu.exec(await client.info("server")) ?? [];
      if (Number(pid) === child.pid) return;
      throw new Error("another server has its port");
    } catch (error) {
      const ended = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
      if (ended || performance.now() > deadline) throw new Error("redis-server didn't start", { cause: error });
    } finally {
      if (client.isOpen) client.destroy();
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(20);
  }
}

async function findProgram(): Promise<Program | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "redis-server");
    // oxlint-disable-next-line no-await-in-loop -- the first is taken
    if (folder !== "" && (await isProgram(path))) return { path, libraries: undefined };
  }
  return unpackedProgram().catch(() => undefined);
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

const aptGet = "/usr/bin/apt-get";
const systemPath = { ...process.env, PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };

async function unpackedProgram(): Promise<Program | undefined> {
  if (!(await isProgram(aptGet))) return undefined;
  const cache = join(cacheFolder, `redis-server-${process.arch}`);
  if (!existsSync(cache)) await unpack(cache);
  const libraries = (await Promise.all(["lib", "usr/lib"].map((place) => libraryFolders(join(cache, place)))))
    .flat()
    .join(":");
  const path = join(cache, "usr", "bin", "redis-server");
  await run(path, ["--version"], { env: { ...process.env, LD_LIBRARY_PATH: libraries } });
  return { path, libraries };
}

/** Libraries are in a folder that is named for the machine: usr/lib/x86_64-linux-gnu. */
async function libraryFolders(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.includes("-linux-"))
    .map((entry) => join(place, entry.name));
}

/** Unpacks beside the cache, and puts it in its place when it is whole: others may be doing the same. */
async function unpack(cache: string): Promise<void> {
  await mkdir(join(cache, ".."), { recursive: true });
  const folder = await mkdtemp(`${cache}-`);
  try {
    const lists = join(folder, "lists");
    let sources: readonly string[] = [];
    let packages = await neededPackages(sources);
    if (packages.length === 0) {
      // Images of containers have no lists of packages; a copy of them for the moment needs no root.
      sources = ["-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${lists}`, "-o", "Debug::NoLocking=1"];
      for (const place of ["partial", "archives/partial"]) await mkdir(join(lists, place), { recursive: true });
      await run(aptGet, [...sources, "update"], { env: systemPath, timeout: downloadMs });
      packages = await neededPackages(sources);
    }
    await run(aptGet, [...sources, "download", ...packages], { cwd: folder, env: systemPath, timeout: downloadMs });
    await rm(lists, { recursive: true, force: true });
    for (const name of (await readdir(folder)).filter((file) => file.endsWith(".deb"))) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await run("/usr/bin/dpkg", ["-x", join(folder, name), folder], { env: systemPath });
      // oxlint-disable-next-line no-await-in-loop -- see above
      await rm(join(folder, name));
    }
    await rename(folder, cache).catch((error: unknown) => {
      if (!existsSync(cache)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Redis and its libraries; none where the machine has no list of packages. */
async function neededPackages(sources: readonly string[]): Promise<readonly string[]> {
  const parameters = [...sources, "depends", "redis-tools"];
  const depends = await run("/usr/bin/apt-cache", parameters, { env: systemPath }).catch(() => ({ stdout: "" }));
  const libraries = [...depends.stdout.matchAll(/^ *Depends: ((?:lib|lua)\S+)$/gm)].map(([, name = ""]) => name);
  if (libraries.length === 0) return [];
  // Every machine that runs Node has a libc, and another one must not be mixed in.
  return ["redis-server", "redis-tools", ...libraries.filter((name) => !name.startsWith("libc6"))];
}
