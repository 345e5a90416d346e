import type { MachineOffer } from "../../actors/cluster/protocol.ts";
import type { ClusterState } from "../../actors/stores/cluster-state.ts";
import { systemClock } from "../core/seam/clock.ts";
import type { FromWorker, ListedMachine, ToWorker } from "./protocol.ts";
import type { Talk } from "./talk.ts";

type WorkerTalk = Talk<ToWorker, FromWorker>;

interface KnownMachine {
  listed: ListedMachine;
  /** Undefined while it isn't connected. */
  talk: WorkerTalk | undefined;
  /** Runs while it isn't. */
  leaving: (() => void) | undefined;
}

export interface HeadMachinesParts {
  readonly leaseMs: number;
  readonly joined: (machine: ListedMachine) => void;
  readonly gone: (machine: string) => void;
  /** A write was refused, or Redis is away. */
  readonly failed: (error: unknown) => void;
}

// Machines that were given up, of which the head still knows the names.
const goneMax = 4096;

/** The machines of a cluster: each is a member for as long as its lease, which its connection with the head renews. */
export class HeadMachines {
  readonly #parts: HeadMachinesParts;
  readonly #machines = new Map<string, KnownMachine>();
  readonly #gone = new Set<string>();
  #state: ClusterState | undefined;

  constructor(parts: HeadMachinesParts) {
    this.#parts = parts;
  }

  get listed(): readonly ListedMachine[] {
    return [...this.#machines.values()].map(({ listed }) => listed);
  }

  /** Ids of those that are connected: their leases are renewed. */
  get connected(): readonly string[] {
    return [...this.#machines].filter(([, { talk }]) => talk !== undefined).map(([id]) => id);
  }

  /** Those that something may be placed on. */
  get usable(): readonly ListedMachine[] {
    return this.listed.filter(({ draining }) => draining !== true);
  }

  get(machine: string): ListedMachine | undefined {
    return this.#machines.get(machine)?.listed;
  }

  /** Takes over the machines of the head before this one: each has the time to find its way here. */
  async lead(state: ClusterState): Promise<void> {
    const { leaseMs } = this.#parts;
    const { machines } = await state.load(2 * leaseMs);
    this.#state = state;
    for (const description of machines) {
      const listed = JSON.parse(description) as ListedMachine;
      if (this.#machines.has(listed.id)) continue;
      this.#machines.set(listed.id, { listed, talk: undefined, leaving: undefined });
      this.#leaves(listed.id, 2 * leaseMs);
    }
  }

  depose(): void {
    this.#state = undefined;
    for (const { leaving } of this.#machines.values()) leaving?.();
    this.#machines.clear();
    this.#gone.clear();
  }

  /** A machine says what it offers. */
  offered(offer: MachineOffer, talk: WorkerTalk): void {
    const { id } = offer;
    if (this.#gone.has(id)) {
      talk.tell({ kind: "given-up" });
      return;
    }
    const known = this.#machines.get(id);
    known?.leaving?.();
    const { joinedAt = systemClock.now(), draining } = known?.listed ?? {};
    const listed = { ...offer, joinedAt, ...(draining === undefined ? {} : { draining }) };
    this.#machines.set(id, { listed, talk, leaving: undefined });
    this.#keep(listed);
    if (known === undefined) this.#parts.joined(listed);
  }

  /** The connection with a machine is over: it has its lease to come back. */
  left(id: string, talk: WorkerTalk): void {
    const known = this.#machines.get(id);
    if (known === undefined || known.talk !== talk) return;
    known.talk = undefined;
    this.#leaves(id, this.#parts.leaseMs);
  }

  /** Nothing is placed on it any more. */
  drain(id: string): void {
    const known = this.#machines.get(id);
    if (known === undefined) return;
    known.listed = { ...known.listed, draining: true };
    this.#keep(known.listed);
  }

  /** It has nothing any more, and may go. */
  drained(id: string): void {
    this.#machines.get(id)?.talk?.tell({ kind: "leave" });
    this.#remove(id);
  }

  #leaves(id: string, leaseMs: number): void {
    const known = this.#machines.get(id);
    if (known === undefined) return;
    known.leaving?.();
    known.leaving = systemClock.after(leaseMs, () => this.#remove(id));
  }

  #remove(id: string): void {
    this.#machines.get(id)?.leaving?.();
    if (!this.#machines.delete(id)) return;
    this.#gone.add(id);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= goneMax) break;
      this.#gone.delete(oldest);
    }
    this.#parts.gone(id);
    for (const { talk } of this.#machines.values()) talk?.tell({ kind: "machine-gone", machine: id });
    this.#state?.machineGone(id).catch(this.#parts.failed);
  }

  #keep(listed: ListedMachine): void {
    this.#state?.machine(this.#parts.leaseMs, listed.id, JSON.stringify(listed)).catch(this.#parts.failed);
  }
}
