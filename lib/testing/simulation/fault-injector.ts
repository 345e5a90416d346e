import type { Order, Report } from "../../../actors/slot/protocol.ts";
import type { FaultyStore, StoreCall } from "./faulty-store.ts";
import { pick, type Fault, type FaultKind, type Phase } from "./faults.ts";
import type { SimulatedSlot, SimulatedSlots, SlotWatch } from "./simulated-slots.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { PlaceTrouble } from "./virtual-files.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface FaultInjectorParts {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly slots: () => SimulatedSlots;
  /** Undefined where nothing is logged: faults of the store don't strike then. */
  readonly store: () => FaultyStore | undefined;
  /** The place of large checkpoints, if there is one. */
  readonly blobs: PlaceTrouble | undefined;
  /** Kills everything, for so many milliseconds. False where nothing runs that could be gone on with. */
  readonly restart: (downMs: number) => boolean;
  /** The user stops all that runs, and goes on with it after so many milliseconds. Says how; undefined where nothing runs. */
  readonly stop: (how: number, downMs: number) => string | undefined;
  /** Asks for the load of one of the executions to be made even. Says how; undefined where nothing runs that has a store. */
  readonly rebalance: (which: number, grows: boolean) => string | undefined;
  readonly trace: Trace;
  readonly faults: readonly Fault[];
  readonly withinMs: number;
  readonly leaseMs: number;
}

// How many times as long a slow drive takes at most: seconds, as that of a machine whose memory is written out may.
const slowestDrive = 10_000;

/** Lets faults strike at their times and phases, and heals them. */
export class FaultInjector {
  readonly #parts: FaultInjectorParts;
  readonly #entered = new Map<Phase, number>();
  #phase: Phase | undefined;
  #over = false;
  /** Faults that struck, by kind. */
  readonly byKind = new Map<FaultKind, number>();
  /** Faults that struck, by the phase that the execution had entered last. */
  readonly byPhase = new Map<Phase | "starting", number>();

  constructor(parts: FaultInjectorParts) {
    this.#parts = parts;
  }

  /** Sets the faults that have a time, and the time at which all is well again. */
  arm(): void {
    const { clock, faults, withinMs } = this.#parts;
    for (const fault of faults) {
      if (fault.trigger.kind === "at") clock.after(fault.trigger.ms, () => this.#strike(fault, undefined));
    }
    clock.after(withinMs, () => this.#heal());
  }

  /** How often the execution entered each phase. */
  get entered(): ReadonlyMap<Phase, number> {
    return this.#entered;
  }

  /** What to look at between slots and scheduler. */
  get watch(): SlotWatch {
    return {
      ordered: (slot, order) => this.#enter(phaseOfOrder(order), slot),
      reported: (slot, report) => this.#enter(phaseOfReport(report), slot),
    };
  }

  storeCalled(call: StoreCall): void {
    this.#enter(phaseOfCall[call], undefined);
  }

  /** The execution enters a phase. Faults that wait for it strike: those of slots the slot that does. */
  #enter(phase: Phase | undefined, slot: string | undefined): void {
    if (phase === undefined) return;
    const count = (this.#entered.get(phase) ?? 0) + 1;
    this.#entered.set(phase, count);
    this.#phase = phase;
    for (const fault of this.#parts.faults) {
      const { trigger } = fault;
      if (trigger.kind === "phase" && trigger.phase === phase && trigger.nth === count) this.#strike(fault, slot);
    }
  }

  #strike(fault: Fault, at: string | undefined): void {
    if (this.#over) return;
    const { slots, trace, clock } = this.#parts;
    const trusted = slots().trusted;
    const target =
      trusted.find(({ id }) => id === at) ?? (trusted.length === 0 ? undefined : pick(trusted, fault.target));
    const done = this.#perform(fault, target, trusted);
    if (done === undefined) return;
    trace.add(clock.monotonic(), "fault", `${fault.kind}: ${done}`);
    this.byKind.set(fault.kind, (this.byKind.get(fault.kind) ?? 0) + 1);
    const phase = this.#phase ?? "starting";
    this.byPhase.set(phase, (this.byPhase.get(phase) ?? 0) + 1);
  }

  /** Says what was done, or nothing where there was nothing that it could be done to. */
  #perform(fault: Fault, target: SimulatedSlot | undefined, trusted: readonly SimulatedSlot[]): string | undefined {
    const { kind, amount } = fault;
    if (
      kind === "store-timeout" ||
      kind === "store-away" ||
      kind === "store-forgets" ||
      kind === "checkpoint-damaged"
    ) {
      return this.#ofStore(kind, amount);
    }
    if (kind === "blobs-slow" || kind === "blobs-away") return this.#ofBlobs(kind, amount);
    if (kind === "restart") {
      const downMs = amount ** 2 * downMostMs;
      return this.#parts.restart(downMs) ? `down for ${downMs.toFixed(1)} ms` : undefined;
    }
    if (kind === "stop") return this.#parts.stop(fault.target, amount ** 2 * downMostMs);
    if (kind === "rebalance") return this.#parts.rebalance(fault.target, amount < growingShare);
    if (kind === "delay" || kind === "duplicate") return this.#ofNetwork(kind, amount);
    if (target === undefined) return undefined;
    const { slots } = this.#parts;
    switch (kind) {
      case "kill":
        slots().kill(target.id);
        return target.id;
      case "kill-machine":
        slots().killMachine(target.machine);
        return target.machine;
      case "hang":
        slots().hang(target.id);
        return `${target.id}, in its next task`;
      case "pause":
      case "lapse":
        return this.#silence(kind, target, amount);
      case "partition":
      case "drop":
        return this.#ofLink(kind, target, trusted, amount);
      case "clock-jump": {
        const hours = (amount - 0.5) * 4;
        target.clock.jump(Math.round(hours * 3_600_000));
        return `${target.id} by ${hours.toFixed(2)} h`;
      }
      case "disk-slow":
      case "disk-full":
      case "disk-broken":
        return this.#ofDrive(kind, target, amount);
      case "disk-damaged": {
        const how = amount < 0.7 ? "byte" : "length";
        const holding = trusted.filter(({ drive }) =>
          ["spool", "sort"].some((purpose) => drive.count("appends", purpose) > drive.count("reads", purpose)),
        );
        const { id, drive } = holding.length === 0 ? target : pick(holding, fault.target);
        drive.damage(how);
        return `${id}, of the next read of a spool or a sort the ${how}`;
      }
    }
  }

  #ofStore(
    kind: "store-timeout" | "store-away" | "store-forgets" | "checkpoint-damaged",
    amount: number,
  ): string | undefined {
    const store = this.#parts.store();
    if (store === undefined) return undefined;
    switch (kind) {
      case "store-timeout": {
        const calls = 1 + Math.floor(amount * 3);
        store.timeOut(calls);
        return `${calls} calls`;
      }
      case "store-away":
        store.leave();
        return this.#forAWhile(amount * awayMostMs, () => store.comeBack());
      case "store-forgets": {
        const ms = amount ** 2 * forgetMostMs;
        void store.forget(ms);
        return `what it was told in the last ${ms.toFixed(1)} ms`;
      }
      case "checkpoint-damaged": {
        const damaged = store.damageCheckpoint(amount);
        return damaged === undefined ? undefined : `checkpoint ${damaged.seq} of channel ${damaged.channel}`;
      }
    }
  }

  #ofBlobs(kind: "blobs-slow" | "blobs-away", amount: number): string | undefined {
    const { blobs } = this.#parts;
    if (blobs === undefined) return undefined;
    if (kind === "blobs-away") blobs.away = true;
    else blobs.slowMs = amount * blobsSlowMs;
    return this.#forAWhile(amount * awayMostMs, () => {
      if (kind === "blobs-away") blobs.away = false;
      else blobs.slowMs = 0;
    });
  }

  #ofNetwork(kind: "delay" | "duplicate", amount: number): string {
    const { network } = this.#parts;
    if (kind === "delay") {
      const factor = 2 + amount * 40;
      network.slow(factor);
      return `${factor.toFixed(1)} times as slow, ${this.#forAWhile(amount * delayMostMs, () => network.slow(1))}`;
    }
    network.duplicate(0.1 + amount * 0.4);
    return this.#forAWhile(amount * delayMostMs, () => network.duplicate(0));
  }

  /** A slot is silent: because it stands still, or because nobody hears it. */
  #silence(kind: "pause" | "lapse", { id }: SimulatedSlot, amount: number): string {
    const { network, leaseMs } = this.#parts;
    const slots = this.#parts.slots();
    const isolated = kind === "lapse" && amount * 1000 - Math.floor(amount * 1000) < 0.5;
    const ms = kind === "pause" ? amount * leaseMs * 0.8 : leaseMs * (1.1 + amount);
    if (!isolated) {
      slots.pause(id);
      return `${id}, ${this.#forAWhile(ms, () => slots.resume(id))}`;
    }
    network.partition(id, slots.client.id);
    slots.reachabilityChanged();
    return `${id} isn't heard, ${this.#forAWhile(ms, () => this.#join(id, slots.client.id))}`;
  }

  #ofLink(
    kind: "partition" | "drop",
    target: SimulatedSlot,
    trusted: readonly SimulatedSlot[],
    amount: number,
  ): string {
    const { network, leaseMs } = this.#parts;
    const slots = this.#parts.slots();
    const others = [...trusted.map(({ id }) => id).filter((id) => id !== target.id), slots.client.id];
    const other = pick(others, (amount * 97) % 1);
    if (kind === "drop") {
      network.drop(target.id, other);
      return `${target.id} and ${other}`;
    }
    network.partition(target.id, other, amount < 0.2);
    slots.reachabilityChanged();
    return `${target.id} and ${other}, ${this.#forAWhile(amount * leaseMs * 0.8, () => this.#join(target.id, other))}`;
  }

  #ofDrive(kind: "disk-slow" | "disk-full" | "disk-broken", { id, drive }: SimulatedSlot, amount: number): string {
    if (kind === "disk-slow") drive.slow(5 + amount ** 4 * slowestDrive);
    else if (kind === "disk-full") drive.fill();
    else drive.break();
    return `${id}, ${this.#forAWhile(amount * delayMostMs, () => drive.heal())}`;
  }

  #join(one: string, other: string): void {
    this.#parts.network.heal(one, other);
    this.#parts.slots().reachabilityChanged();
  }

  #forAWhile(ms: number, over: () => void): string {
    this.#parts.clock.after(ms, over);
    return `for ${ms.toFixed(1)} ms`;
  }

  /** From now on nothing goes wrong any more. What was lost stays lost. */
  #heal(): void {
    this.#over = true;
    const { network, store, trace, clock } = this.#parts;
    const slots = this.#parts.slots();
    trace.add(clock.monotonic(), "faults", "are over");
    network.healAll();
    store()?.heal();
    this.#parts.blobs?.heal();
    for (const { id, drive } of slots.living) {
      drive.heal();
      slots.resume(id);
    }
    slots.reachabilityChanged();
  }
}

const awayMostMs = 300;
// Of those who ask for the load to be made even, who do it because a slot has come.
const growingShare = 0.6;
const blobsSlowMs = 30;
const downMostMs = 60;
const forgetMostMs = 10;
const delayMostMs = 200;

function phaseOfOrder(order: Order): Phase | undefined {
  switch (order.kind) {
    case "prepare":
      return "preparing";
    case "survey":
    case "recover":
    case "connect":
      return "recovering";
    case "lineage-committed":
      return "before-push";
    case "commit":
      return "finishing";
    default:
      return undefined;
  }
}

function phaseOfReport(report: Report): Phase | undefined {
  switch (report.kind) {
    case "lineage-append":
      return "before-commit";
    case "lineage-call":
      return report.request.kind === "save" ? "checkpointing" : "recovering";
    case "surveyed":
    case "recovered":
      return "recovering";
    case "channels-done":
      return "ending";
    default:
      return undefined;
  }
}

const phaseOfCall: Readonly<Partial<Record<StoreCall, Phase>>> = {
  commit: "committing",
  saveCheckpoint: "checkpointing",
  loadCheckpoint: "recovering",
  fence: "recovering",
  free: "freeing",
};
