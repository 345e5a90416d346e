// Hosts of their own addresses on one machine, for specs: network namespaces, joined by a bridge. A spec that wants them is
// started again in a namespace of its own for network, mounts and processes, and makes the hosts' namespaces in there. So
// nothing outside is touched, names can't clash, and when the spec ends, however it does, the kernel ends all of its processes
// and takes the hosts away. It needs Linux with `ip`, `tc` and `unshare`, and root or the right to make user namespaces.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const insideFlag = "QSTREAM_OWN_NETWORK";
const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;
// What `ip netns` writes to is hidden by an empty folder.
const prologue = "mount -t tmpfs none /run && ip link set lo up";
const trial = [prologue, "ip link add bridge type bridge", "ip link add cable type veth", "ip netns add host"]
  .concat(["ip netns exec host true", "tc qdisc add dev cable root tbf rate 80mbit burst 64kb latency 50ms"])
  .join(" && ");

/**
 * True in a process whose network is its own, where `Network.open` works. Elsewhere it starts the module again in such a process,
 * shows what that writes, and ends this process as that one ended. Where it can't be had, it prints `skipped: needs network
 * namespaces`, which the runner counts as skipped, and as failed when CI is set.
 *
 * @param module - URL of the spec
 */
export async function inOwnNetwork(module: string): Promise<boolean> {
  if (process.env[insideFlag] !== undefined) {
    endWithParent();
    return true;
  }
  const words = await wordsForOwnNetwork();
  if (words === undefined) {
    console.log("skipped: needs network namespaces (ip, tc, unshare, and root or user namespaces)");
    return false;
  }
  // Folders of processes that are gone are known by the process's number, and numbers in there are others.
  const folder = await mkdtemp(join(tmpdir(), "qstream-network-"));
  const node = [process.execPath, ...process.execArgv, fileURLToPath(module)];
  const [program = "", ...rest] = [...words, `${prologue} && exec "$@"`, "sh", ...node];
  const child = spawn(program, rest, {
    // It ends when its input does: this process may be killed.
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, PATH: path, TMPDIR: folder, [insideFlag]: "1" },
  });
  const [code] = (await once(child, "close")) as [number | null];
  await rm(folder, { recursive: true, force: true });
  process.exit(code ?? 1);
}

async function wordsForOwnNetwork(): Promise<readonly string[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
  for (const asRoot of [[], ["--user", "--map-root-user"]]) {
    const [program, ...rest] = ["unshare", ...asRoot, ...own] as [string, ...string[]];
    try {
      // oxlint-disable-next-line no-await-in-loop -- the first that works is taken
      await run(program, [...rest, trial], { env: { ...process.env, PATH: path }, timeout: 10_000 });
      return [program, ...rest];
    } catch {
      // This way isn't open here.
    }
  }
  return undefined;
}

function endWithParent(): void {
  process.stdin.on("end", () => process.exit(1)).resume();
  process.stdin.on("error", () => process.exit(1));
  (process.stdin as Partial<{ unref: () => void }>).unref?.();
}

/** A host: an address of its own, and processes that have it. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Words that come before a command which is to run on it. */
  readonly within: readonly string[];
}

export interface LinkOptions {
  /** Bytes a second that a host can send. Default: no limit. */
  readonly bytesPerSecond?: number;
}

const subnet = "10.77.0";
// No interface has it: what is sent there is lost in silence.
const nobody = "02:00:00:00:00:ff";

/** Hosts, each with a cable to one bridge, to which this process is connected, too. Only in a process of its own network. */
export class Network {
  readonly #hosts = new Map<string, Host>();

  static async open(): Promise<Network> {
    await ip("link", "add", "bridge", "type", "bridge");
    await ip("addr", "add", `${subnet}.254/24`, "dev", "bridge");
    await ip("link", "set", "bridge", "up");
    return new Network();
  }

  /** @param name - at most ten letters and digits */
  async addHost(name: string, { bytesPerSecond }: LinkOptions = {}): Promise<Host> {
    const address = `${subnet}.${this.#hosts.size + 1}`;
    await ip("netns", "add", name);
    await ip("link", "add", cableOf(name), "type", "veth", "peer", "name", "eth0", "netns", name);
    await ip("link", "set", cableOf(name), "master", "bridge", "up");
    await ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) await ip("-n", name, "link", "set", device, "up");
    if (bytesPerSecond !== undefined) {
      const rate = ["rate", `${bytesPerSecond * 8}bit`, "burst", "64kb", "latency", "100ms"];
      await call("tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", ...rate);
    }
    const host: Host = { name, address, within: ["ip", "netns", "exec", name] };
    this.#hosts.set(name, host);
    return host;
  }

  /** What `from` sends to `to` is lost from now on; the other way is as it was. */
  async cut(from: Host, to: Host): Promise<void> {
    await ip("-n", from.name, "neigh", "replace", to.address, "lladdr", nobody, "nud", "permanent", "dev", "eth0");
  }

  /** What `from` sends to `to` comes there again. */
  async mend(from: Host, to: Host): Promise<void> {
    await ip("-n", from.name, "neigh", "del", to.address, "dev", "eth0");
  }

  /** Neither hears the other from now on. */
  async part(one: Host, other: Host): Promise<void> {
    await this.cut(one, other);
    await this.cut(other, one);
  }

  async unite(one: Host, other: Host): Promise<void> {
    await this.mend(one, other);
    await this.mend(other, one);
  }

  /** Nothing comes from it or to it any more. */
  async unplug(host: Host): Promise<void> {
    await ip("link", "set", cableOf(host.name), "down");
  }

  async plug(host: Host): Promise<void> {
    await ip("link", "set", cableOf(host.name), "up");
  }

  /** What a host has sent so far, and how often it had to wait since it would have been more than its link takes. */
  async sent({ name }: Host): Promise<{ readonly bytes: number; readonly heldBack: number }> {
    const [interfaces, queues] = await Promise.all([
      call("ip", "-n", name, "-json", "-stats", "link", "show", "dev", "eth0"),
      call("tc", "-n", name, "-json", "-stats", "qdisc", "show", "dev", "eth0"),
    ]);
    const [link] = JSON.parse(interfaces) as readonly {
      readonly stats64: { readonly tx: { readonly bytes: number } };
    }[];
    const [queue] = JSON.parse(queues) as readonly { readonly overlimits: number }[];
    return { bytes: link?.stats64.tx.bytes ?? 0, heldBack: queue?.overlimits ?? 0 };
  }

  /** Addresses of all hosts, and that of this process. */
  get addresses(): readonly string[] {
    return [...[...this.#hosts.values()].map(({ address }) => address), `${subnet}.254`];
  }
}

function cableOf(host: string): string {
  return `to-${host}`;
}

async function ip(...words: readonly string[]): Promise<void> {
  await call("ip", ...words);
}

async function call(program: string, ...words: readonly string[]): Promise<string> {
  return (await run(program, words, { env: { ...process.env, PATH: path } })).stdout;
}
