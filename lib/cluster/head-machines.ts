import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import type { MachineOffer } from "../../actors/cluster/protocol.ts";
import type { Coordination } from "../core/contracts/coordination.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
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
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly joined: (machine: ListedMachine) => void;
  readonly gone: (machine: string) => void;
  /** A write was refused, or Redis is away. */
  readonly failed: (error: unknown) => void;
}

// Machines that were given up, of which the head still knows the names.
const goneMax = 4096;
const againMs = 200;

/** The machines of a cluster: each is a member for as long as its lease, which its connection with the head renews. */
export class HeadMachines {
  readonly #parts: HeadMachinesParts;
  readonly #machines = new Map<string, KnownMachine>();
  readonly #gone = new Set<string>();
  /** Machines of which something isn't kept yet: true where it isn't on its way either. */
  #unkept = new Map<string, boolean>();
  #state: Coordination | undefined;

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
    return this.listed.filter(isUsable);
  }

  get(machine: string): ListedMachine | undefined {
    return this.#machines.get(machine)?.listed;
  }

  /** Takes over the machines of the head before this one: each has the time to find its way here. */
  async lead(state: Coordination): Promise<void> {
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
    this.#unkept = new Map();
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
    const { joinedAt = this.#parts.clock.now(), draining, counts } = known?.listed ?? {};
    const kept = { ...(draining === undefined ? {} : { draining }), ...(counts === undefined ? {} : { counts }) };
    const listed = { ...offer, joinedAt, ...kept };
    this.#machines.set(id, { listed, talk, leaving: undefined });
    void this.#keep(id);
    if (known?.talk !== talk) this.#greet(talk);
    const wasUsable = known !== undefined && isUsable(known.listed);
    if (isUsable(listed) && !wasUsable) this.#parts.joined(listed);
  }

  /** A machine says what it has counted. */
  counted(id: string, counts: MachineCounts, talk: WorkerTalk): void {
    const known = this.#machines.get(id);
    if (known?.talk === talk) known.listed = { ...known.listed, counts };
  }

  /** A machine that wasn't connected may not have heard of others that never come back. */
  #greet(talk: WorkerTalk): void {
    talk.tell({ kind: "listed" });
    for (const machine of this.#gone) talk.tell({ kind: "machine-gone", machine });
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
    void this.#keep(id);
  }

  /** It has nothing any more, and may go. */
  drained(id: string): void {
    this.#machines.get(id)?.talk?.tell({ kind: "leave" });
    this.#remove(id);
  }

  /** Nobody needs these datasets any more. */
  releaseDatasets(datasets: readonly string[]): void {
    for (const { talk } of this.#machines.values()) talk?.tell({ kind: "release-datasets", datasets });
  }

  #leaves(id: string, leaseMs: number): void {
    const known = this.#machines.get(id);
    if (known === undefined) return;
    known.leaving?.();
    known.leaving = this.#parts.clock.after(leaseMs, () => this.#remove(id));
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
    void this.#keep(id);
  }

  /** Keeps for other heads what is known of a machine by now, or that it is gone: Redis may be away for a while. */
  async #keep(id: string): Promise<void> {
    const state = this.#state;
    const unkept = this.#unkept;
    const isBusy = unkept.has(id);
    unkept.set(id, true);
    if (state === undefined || isBusy) return;
    while (this.#state === state && unkept.get(id) === true) {
      unkept.set(id, false);
      const listed = this.get(id);
      const kept =
        listed === undefined ? state.machineGone(id) : state.machine(this.#parts.leaseMs, id, JSON.stringify(listed));
      try {
        // oxlint-disable-next-line no-await-in-loop -- until it is kept
        await kept;
      } catch (error) {
        this.#parts.failed(error);
        unkept.set(id, true);
        // oxlint-disable-next-line no-await-in-loop -- see above
        await delay(this.#parts.clock, againMs);
      }
    }
    unkept.delete(id);
  }
}

function isUsable({ draining, storeAway }: ListedMachine): boolean {
  return draining !== true && storeAway !== true;
}
