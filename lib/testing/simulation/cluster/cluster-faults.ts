import { seededRandom, type Random } from "../../../core/seam/random.ts";
import { pick } from "../faults.ts";
import type { SimulatedDriver, SimulatedHead } from "./simulated-head.ts";
import type { SimulatedMachine } from "./simulated-machine.ts";
import { storeHost } from "./simulated-process.ts";
import type { VirtualSockets } from "./virtual-sockets.ts";

/** What can go wrong in a simulated cluster. */
export type ClusterFaultKind =
  /** A machine ends at once; with its host's power, or as by kill -9. Another worker is started there later. */
  | "kill-machine"
  /** A machine stands still, for less than its lease. */
  | "pause-machine"
  /** A machine stands still for longer than its lease, and then goes on. */
  | "lapse-machine"
  /** A thread of a machine ends. */
  | "kill-slot"
  /** The head that leads ends at once, and its drivers with it. Another one is started there later. */
  | "kill-head"
  /** The head that leads stands still, perhaps for longer than its lease, and then goes on. Its drivers don't. */
  | "pause-head"
  | "kill-driver"
  /** A driver stands still, and goes on whoever drives by then. */
  | "pause-driver"
  /** A machine and the head that leads don't reach each other, one way or both, for less than a lease. */
  | "part-head"
  /** The same for longer. */
  | "cut-head"
  /** Two machines don't reach each other, one way or both; some of them never again while the execution runs. */
  | "part-machines"
  /** A host doesn't reach Redis. */
  | "cut-store"
  /** Connections of two hosts break. */
  | "break"
  /** All that is sent takes many times as long. */
  | "delay"
  /** A link goes away and comes back, again and again. */
  | "flap"
  /** Another machine joins. */
  | "join";

export const clusterFaultKinds: readonly ClusterFaultKind[] = [
  "kill-machine",
  "pause-machine",
  "lapse-machine",
  "kill-slot",
  "kill-head",
  "pause-head",
  "kill-driver",
  "pause-driver",
  "part-head",
  "cut-head",
  "part-machines",
  "cut-store",
  "break",
  "delay",
  "flap",
  "join",
];

/** One fault, drawn from a seed. */
export interface ClusterFault {
  readonly kind: ClusterFaultKind;
  readonly atMs: number;
  /** Chooses the target among those there are then, and the other one: from 0 to below 1. */
  readonly target: number;
  readonly other: number;
  /** How much or how long, from 0 to below 1 of what the kind can be. */
  readonly amount: number;
  readonly oneWay: boolean;
}

export interface DrawnFaults {
  readonly kinds: readonly ClusterFaultKind[];
  readonly withinMs: number;
  readonly countMax: number;
}

/** The faults of a seed: at least one, where any kind is asked for. */
export function drawClusterFaults(seed: number, { kinds, withinMs, countMax }: DrawnFaults): readonly ClusterFault[] {
  if (kinds.length === 0) return [];
  const random = seededRandom(seed);
  return Array.from({ length: 1 + Math.floor(random() * countMax) }, () => ({
    kind: pick(kinds, random()),
    atMs: random() * withinMs,
    target: random(),
    other: random(),
    amount: random(),
    oneWay: random() < oneWayShare,
  }));
}

const oneWayShare = 0.3;

/** A simulated cluster, as faults see it. */
export interface ClusterUnderFaults {
  readonly sockets: VirtualSockets;
  readonly leaseMs: number;
  /** Machines whose process lives. */
  readonly machines: readonly SimulatedMachine[];
  readonly heads: readonly SimulatedHead[];
  readonly drivers: readonly SimulatedDriver[];
  readonly random: Random;
  after: (ms: number, action: () => void) => void;
  /** Starts a worker, in place of one that was on the host, or on a host of its own. */
  startMachine: (host?: string) => void;
  startHead: (host: string) => void;
}

const flaps = 6;
/** Of partitions of machines: those that end. */
const briefShare = 0.7;
/** No execution takes so long. */
const foreverLeases = 1000;

/** Longer than any lease: a driver gives a machine up after one, a head after two. */
const beyondMs = (leaseMs: number, amount: number): number => leaseMs * (1.1 + 2 * amount);
const machinesMax = 8;

/** Does one fault. Says what was done, or nothing where there was nothing that it could be done to. */
export function strike(cluster: ClusterUnderFaults, fault: ClusterFault): string | undefined {
  const { machines, heads, drivers, leaseMs, sockets } = cluster;
  const { kind, amount, oneWay } = fault;
  const machine = machines.length === 0 ? undefined : pick(machines, fault.target);
  const head = heads.find(({ epoch }) => epoch !== undefined) ?? heads[0];
  const driver = drivers.length === 0 ? undefined : pick(drivers, fault.target);
  switch (kind) {
    case "kill-machine":
      return machine === undefined ? undefined : killMachine(cluster, machine, amount);
    case "pause-machine":
    case "lapse-machine":
      return machine === undefined ? undefined : pauseMachine(cluster, machine, kind, amount);
    case "kill-slot":
      return machine?.killSlot(fault.other);
    case "kill-head":
      return head === undefined ? undefined : killHead(cluster, head, amount);
    case "pause-head":
      return head === undefined ? undefined : pauseProcess(cluster, head.process, leaseMs * (0.2 + 2 * amount));
    case "kill-driver":
      driver?.process.kill();
      return driver?.process.name;
    case "pause-driver":
      return driver === undefined ? undefined : pauseProcess(cluster, driver.process, leaseMs * (0.2 + 2 * amount));
    case "part-head":
    case "cut-head": {
      if (machine === undefined || head === undefined) return undefined;
      const ms = kind === "part-head" ? amount * leaseMs * 0.8 : beyondMs(leaseMs, amount);
      return part(
        cluster,
        machine.process.host,
        head.process.host,
        ms,
        oneWay ? amount * 10 - Math.floor(amount * 10) : undefined,
      );
    }
    case "part-machines": {
      const others = machines.filter((other) => other !== machine);
      if (machine === undefined || others.length === 0) return undefined;
      const other = pick(others, fault.other);
      const ms = leaseMs * (amount < briefShare ? 3 * amount : foreverLeases);
      return part(cluster, machine.process.host, other.process.host, ms, oneWay ? 0 : undefined);
    }
    case "cut-store": {
      const hosts = [...machines, ...heads].map(({ process }) => process.host);
      return part(cluster, pick(hosts, fault.target), storeHost, amount * 1.5 * leaseMs, oneWay ? 0 : undefined);
    }
    case "break": {
      const [one, other] = twoHosts(cluster, fault);
      return one === undefined ? undefined : `${sockets.break(one, other ?? one)} connections of ${one} and ${other}`;
    }
    case "delay": {
      const factor = 2 + amount * 20;
      sockets.slow(factor);
      cluster.after(fault.other * leaseMs, () => sockets.slow(1));
      return `${factor.toFixed(1)} times as slow, for ${(fault.other * leaseMs).toFixed(0)} ms`;
    }
    case "flap":
      return flap(cluster, fault);
    case "join":
      if (machines.length >= machinesMax) return undefined;
      cluster.startMachine();
      return "another machine";
  }
}

function killMachine(cluster: ClusterUnderFaults, { process }: SimulatedMachine, amount: number): string {
  const dark = amount < 0.4;
  const downMs = amount * 1.5 * cluster.leaseMs;
  process.kill(dark);
  cluster.after(downMs, () => {
    cluster.sockets.lightUp(process.host);
    cluster.startMachine(process.host);
  });
  return `${process.name}${dark ? ", with its host" : ""}, for ${downMs.toFixed(0)} ms`;
}

function pauseMachine(
  cluster: ClusterUnderFaults,
  machine: SimulatedMachine,
  kind: "pause-machine" | "lapse-machine",
  amount: number,
): string {
  const { leaseMs } = cluster;
  const ms = kind === "pause-machine" ? amount * leaseMs * 0.8 : beyondMs(leaseMs, amount);
  machine.pause();
  cluster.after(ms, () => machine.resume());
  return `${machine.process.name}, for ${ms.toFixed(0)} ms`;
}

function pauseProcess(
  cluster: ClusterUnderFaults,
  process: { readonly name: string; pause: () => void; resume: () => void },
  ms: number,
): string {
  process.pause();
  cluster.after(ms, () => process.resume());
  return `${process.name}, for ${ms.toFixed(0)} ms`;
}

function killHead(cluster: ClusterUnderFaults, { process, wasUp }: SimulatedHead, amount: number): string | undefined {
  // One that doesn't come up is started again anyway.
  if (!wasUp) return undefined;
  const downMs = amount * 1.5 * cluster.leaseMs;
  process.kill();
  cluster.after(downMs, () => cluster.startHead(process.host));
  return `${process.name}, for ${downMs.toFixed(0)} ms`;
}

/** @param oneWay - which way, from 0 to below 1; undefined for both */
function part(
  { sockets, after }: ClusterUnderFaults,
  one: string,
  other: string,
  ms: number,
  oneWay: number | undefined,
): string {
  const [from, to] = oneWay !== undefined && oneWay >= 0.5 ? [other, one] : [one, other];
  sockets.part(from, to, oneWay !== undefined);
  after(ms, () => sockets.join(from, to));
  return `${from} and ${to}${oneWay === undefined ? "" : ", one way"}, for ${ms.toFixed(0)} ms`;
}

function twoHosts(
  { machines, heads }: ClusterUnderFaults,
  { target, other }: ClusterFault,
): readonly [string | undefined, string | undefined] {
  const hosts = [...machines, ...heads].map(({ process }) => process.host);
  const one = hosts.length === 0 ? undefined : pick(hosts, target);
  const others = hosts.filter((host) => host !== one);
  return [one, others.length === 0 ? undefined : pick(others, other)];
}

function flap(cluster: ClusterUnderFaults, fault: ClusterFault): string | undefined {
  const [one, other] = twoHosts(cluster, fault);
  if (one === undefined || other === undefined) return undefined;
  const eachMs = fault.amount * 0.3 * cluster.leaseMs;
  for (let turn = 0; turn < flaps; turn++) {
    cluster.after(2 * turn * eachMs, () => cluster.sockets.part(one, other));
    cluster.after((2 * turn + 1) * eachMs, () => cluster.sockets.join(one, other));
  }
  return `${one} and ${other}, ${flaps} times ${eachMs.toFixed(0)} ms`;
}
