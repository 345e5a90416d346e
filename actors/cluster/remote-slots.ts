import { errorFromData, errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import { onlyTags } from "../../lib/placement/index.ts";
import type { LineageActor } from "../lineage/lineage-actor.ts";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { Report } from "../slot/protocol.ts";
import type { ActorsRelay } from "../slot/relayed-actors.ts";
import type { LossReason } from "../scheduler/messages.ts";
import { makeSlot } from "../slots/local-slot.ts";
import type { LaunchedSlots } from "../slots/slot-launcher.ts";
import type { Bind, Security } from "../transport/wire/security.ts";
import { machineOf, slotOn, SlotsOnWire } from "../transport/wire/slots-on-wire.ts";
import { Wire } from "../transport/wire/wire.ts";
import { checkFromMachine } from "./check-told.ts";
import { systemWorld, type MachineWorld } from "./machine-world.ts";
import { packOrders } from "./packed-places.ts";
import { PartedMachines } from "./parted-machines.ts";
import type { BundleReference, FromMachine, MachinePlace, SlotOrder, ToMachine } from "./protocol.ts";
import { SlotOrders } from "./slot-orders.ts";

export interface RemoteSlotsOptions {
  /** Default: that of a process. */
  readonly world?: MachineWorld | undefined;
  /** The driver's own name on the wire. */
  readonly id: string;
  readonly bind: Bind;
  readonly security: Security;
  readonly advertise?: string | undefined;
  readonly files: FileSystem;
  /** Milliseconds without a sign of life after which a machine is given up. */
  readonly leaseMs: number;
  /** How many drivers the execution has had, with this one, and the epoch of the head that started it. */
  readonly driver: number;
  readonly epoch: number;
  readonly bundle: BundleReference;
  /** URL of the store that machines write lineage to. */
  readonly store: string;
  readonly storeWaitMs: number;
  /** Whether the store can be reached from here. */
  readonly storeAnswers: () => Promise<boolean>;
  /** How many channels a machine has. */
  readonly channelsOn?: (machine: string) => number;
  /** Who knows all channels; there from the first execution on. */
  readonly lineage: () => LineageActor | undefined;
  readonly onReport: (report: Report) => void;
  readonly onLost: (slot: string, error: Error, reason?: LossReason) => void;
  /** A machine has come, and its slots with it; or one that was to come is gone. */
  readonly onAdded: () => void;
  /** Another driver goes on with the execution. */
  readonly onTaken: (execution: string) => void;
  /** Fulfilled when machines may begin with the execution; undefined where they may at any time. */
  readonly mayBegin?: (() => Promise<void>) | undefined;
  /** Leads to the client of a system of actors. */
  readonly relay?: ActorsRelay | undefined;
}

/** A machine, as the driver of an execution sees it. */
interface KnownMachine extends MachinePlace {
  readonly slots: Map<string, SlotHandle>;
  /** Who waits for a slot in place of a lost one. */
  readonly replacing: Map<string, () => void>;
  /** It can't reach the store: how often it said so while the store could be reached from here. */
  cutOff: { isNow: boolean; isAsked: boolean; words: number };
}

/** The slots of a cluster's machines, for the session of one driver. Machines come and go. */
export class RemoteSlots implements LaunchedSlots {
  readonly grows = true;
  readonly client: SlotHandle;
  readonly #options: RemoteSlotsOptions;
  readonly #world: MachineWorld;
  readonly #wire: Wire;
  readonly #machines = new Map<string, KnownMachine>();
  readonly #gone = new Set<string>();
  /** Those of them that this driver gave up, and why; the head may not have. Under its name on the wire they are never heard again. */
  readonly #givenUp = new Map<string, QStreamError>();
  /** Who waits for any machine at all. */
  readonly #bereft = new Set<() => void>();
  readonly #executions = new Set<string>();
  readonly #orders: SlotOrders;
  readonly #parted: PartedMachines;
  /** Those of all machines; undefined after a change. */
  #slots: readonly SlotHandle[] | undefined;
  readonly #closeClient: () => Promise<void>;

  private constructor(options: RemoteSlotsOptions, wire: Wire, slotsOnWire: SlotsOnWire) {
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#wire = wire;
    this.#orders = new SlotOrders((machine, orders) => this.#sendOrders(machine, orders), options.mayBegin);
    this.#parted = new PartedMachines({
      clock: this.#world.sockets.clock,
      leaseMs: options.leaseMs,
      isThere: (machine) => this.#machines.has(machine),
      costs: (machine) => [onlyTags(this.slots, machine).length, options.channelsOn?.(machine) ?? 0],
      leave: (machine, why) => this.#leave(machine, why),
    });
    const id = slotOn(options.id, "client");
    const slot = makeSlot({
      id,
      transport: slotsOnWire.transport(id, wire),
      files: options.files,
      memoryBytes: () => process.memoryUsage.rss(),
      report: options.onReport,
      relay: options.relay,
      world: this.#world.slotWorld(),
    });
    this.client = { id, machine: options.id, tags: [], order: (order) => slot.order(order), lose: () => {} };
    this.#closeClient = () => slot.close();
  }

  static async open(options: RemoteSlotsOptions): Promise<RemoteSlots> {
    const slotsOnWire = new SlotsOnWire();
    const opened: { remote?: RemoteSlots } = {};
    const wire = await Wire.open({
      machine: options.id,
      sockets: options.world?.sockets,
      bind: options.bind,
      security: options.security,
      advertise: options.advertise,
      leaseMs: options.leaseMs,
      link: (to, from, message) => slotsOnWire.deliver(to, from, message),
      told: (machine, content) => opened.remote?.told(machine, checkFromMachine(content)),
      silent: (machine, silentMs, failure) => opened.remote?.silent(machine, silentMs, failure),
      givenUp: (machine) => opened.remote?.giveUp(machine, "it has given the execution up"),
    });
    return (opened.remote = new RemoteSlots(options, wire, slotsOnWire));
  }

  /** The same list as long as there are the same slots. */
  get slots(): readonly SlotHandle[] {
    this.#slots ??= [...this.#machines.values()].flatMap(({ slots }) => [...slots.values()]);
    return this.#slots;
  }

  get machines(): readonly string[] {
    return [...this.#machines.keys()];
  }

  /** Why no machine is left, where some of those that were may live on: another driver can have them, and this one can't. */
  get forsaken(): QStreamError | undefined {
    return this.#machines.size === 0 ? [...this.#givenUp.values()].at(-1) : undefined;
  }

  /** Machines that haven't said yet which slots they have. */
  get awaitedMachines(): readonly MachinePlace[] {
    return [...this.#machines.values()].filter(({ slots }) => slots.size === 0);
  }

  /** Machines are there: their slots can be used once they have said which they are. */
  add(...places: readonly MachinePlace[]): void {
    const added = places.filter(({ id }) => !this.#machines.has(id) && !this.#gone.has(id));
    if (added.length === 0) return;
    const before = [...this.#machines.keys()];
    for (const { id, url } of added) {
      this.#machines.set(id, {
        id,
        url,
        slots: new Map(),
        replacing: new Map(),
        cutOff: { isNow: false, isAsked: false, words: 0 },
      });
      this.#wire.meet(id, url);
      this.#wire.watch(id);
    }
    // Each hears once of each other one.
    for (const other of before) this.#tell(other, { kind: "machines", machines: added });
    const machines = [...this.#machines.values()].map(({ id, url }) => ({ id, url }));
    for (const { id } of added) {
      this.#tell(id, { kind: "machines", machines });
      for (const execution of this.#executions) this.#open(id, execution);
    }
  }

  /** An execution is going to use the slots. */
  open(execution: string): void {
    if (this.#executions.has(execution)) return;
    this.#executions.add(execution);
    for (const machine of this.#machines.keys()) this.#open(machine, execution);
  }

  /** The cluster has given a machine up: nobody hears of it from now on. */
  machineLost(id: string, why: string): void {
    this.#givenUp.delete(id);
    this.#lose(id, new QStreamError("SLOT_LOST", `machine ${id} is lost: ${why}`));
  }

  /** @internal */
  silent(id: string, silentMs: number, failure: Error | undefined): void {
    const tried = failure === undefined ? "" : `; ${failure.message}`;
    this.giveUp(id, `nothing was heard of it for ${silentMs} ms${tried}`);
  }

  /** @internal A machine has to be taken for gone, though the head may hear of it. */
  giveUp(id: string, why: string): void {
    const error = new QStreamError("SLOT_LOST", `machine ${id} is lost: ${why}`);
    if (this.#machines.has(id)) this.#givenUp.set(id, error);
    this.#lose(id, error);
  }

  #lose(id: string, error: QStreamError): void {
    if (!this.#machines.has(id)) return;
    this.#wire.giveUp(id);
    this.#without(id, error);
  }

  /** A machine is to go: what it does for executions is made again by others, and it is told that nobody needs it. */
  drain(id: string): void {
    this.#leave(id, "is drained");
  }

  #leave(id: string, why: string): void {
    if (!this.#machines.has(id)) return;
    this.#tell(id, { kind: "leave" });
    this.#without(id, new QStreamError("SLOT_LOST", `machine ${id} ${why}`), "left");
    // It breaks with this driver when it has heard that; if it never does, nothing it sends is of a life that counts.
    this.#wire.unwatch(id);
  }

  /** All of its slots are lost by one error: to the scheduler that is one loss. */
  #without(id: string, error: QStreamError, reason?: LossReason): void {
    const machine = this.#machines.get(id);
    if (machine === undefined) return;
    this.#machines.delete(id);
    this.#slots = undefined;
    this.#gone.add(id);
    for (const slot of machine.slots.keys()) this.#options.onLost(slot, error, reason);
    for (const settle of machine.replacing.values()) settle();
    if (machine.slots.size === 0) this.#options.onAdded();
  }

  /** The machine itself starts another slot in place of a lost one. */
  replace(lost: string): Promise<void> {
    const machine = this.#machines.get(machineOf(lost));
    if (machine !== undefined) return new Promise((resolve) => machine.replacing.set(lost, resolve));
    return this.slots.length > 0 ? Promise.resolve() : this.#anyMachine();
  }

  /** The last machine may be on its way back, or another one may come. */
  #anyMachine(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        cancel();
        this.#bereft.delete(settle);
        resolve();
      };
      const cancel = this.#world.sockets.clock.after(bereftLeases * this.#options.leaseMs, settle);
      this.#bereft.add(settle);
    });
  }

  async close(): Promise<void> {
    this.#parted.close();
    for (const settle of this.#bereft) settle();
    for (const machine of this.#machines.keys()) this.#tell(machine, { kind: "leave" });
    await this.#closeClient();
    await this.#wire.flush(closeGraceMs);
    await this.#wire.close();
  }

  /** @internal A machine said something. */
  told(id: string, told: FromMachine): void {
    const machine = this.#machines.get(id);
    if (machine === undefined) return;
    switch (told.kind) {
      case "slots":
        for (const slot of told.slots) this.#addSlot(machine, slot, told.tags);
        for (const settle of this.#bereft) settle();
        this.#options.onAdded();
        return;
      case "report":
        this.#options.onReport(told.report);
        return;
      case "slot-lost":
        if (machine.slots.has(told.slot)) this.#options.onLost(told.slot, errorFromData(told.error), told.activity);
        return;
      case "lineage":
        this.#lineage(id, told).catch((error: unknown) => this.giveUp(id, `it breaks the lineage: ${String(error)}`));
        return;
      case "store-away":
        machine.cutOff.isNow = told.away;
        if (told.away) void this.#storeAway(machine);
        else machine.cutOff.words = 0;
        return;
      case "peer-silent":
        this.#parted.complains(id, told.machine);
        return;
      case "taken":
        this.#options.onTaken(told.execution);
        return;
      case "slot-replaced": {
        const tags = machine.slots.get(told.lost)?.tags ?? [];
        machine.slots.delete(told.lost);
        this.#slots = undefined;
        if (told.slot !== undefined) this.#addSlot(machine, told.slot, tags);
        machine.replacing.get(told.lost)?.();
        machine.replacing.delete(told.lost);
      }
    }
  }

  /**
   * A machine can't write down what it does. Where others can, they make it again; where nobody can, and where there is no other, all
   * wait for the store.
   */
  async #storeAway(machine: KnownMachine): Promise<void> {
    const { cutOff } = machine;
    // What is asked while nobody reaches the store is answered at once when it is back, however often: that is one word.
    if (cutOff.isAsked) return;
    cutOff.isAsked = true;
    const answers = await this.#options.storeAnswers();
    cutOff.isAsked = false;
    cutOff.words = answers ? cutOff.words + 1 : 0;
    // A store that has just come back may be back for the machine, too, before it says so.
    if (!cutOff.isNow || cutOff.words < 2 || this.#machines.get(machine.id) !== machine) return;
    const others = [...this.#machines.values()].filter(({ cutOff: { isNow }, slots }) => !isNow && slots.size > 0);
    if (others.length > 0) this.#leave(machine.id, "can't reach the store, which others can");
  }

  async #lineage(
    machine: string,
    { execution, question, said }: Extract<FromMachine, { kind: "lineage" }>,
  ): Promise<void> {
    const lineage = this.#options.lineage();
    let yes = false;
    switch (said.kind) {
      case "usable":
        yes = lineage?.usable(execution, said.number, said.head) ?? false;
        break;
      case "saved":
        // Where it can't be freed, the store is away, and who waits for that hears of it.
        yes = (await lineage?.saved(execution, said.number, said.seq, said.head).catch(() => false)) ?? false;
        break;
      case "damaged":
        lineage?.damaged(execution, said.number, said.seq);
        break;
      case "refused":
        lineage?.refused(execution, said.number, said.generation);
        break;
      case "failed":
        lineage?.failed(execution, errorFromData(said.error));
        break;
      case "written":
        lineage?.writtenElsewhere(execution, machine, said.written);
    }
    if (question !== undefined && this.#machines.has(machine)) {
      this.#tell(machine, { kind: "lineage-answer", question, yes });
    }
  }

  #addSlot(machine: KnownMachine, id: string, tags: readonly string[]): void {
    this.#slots = undefined;
    machine.slots.set(id, {
      id,
      machine: machine.id,
      tags,
      order: (order) => this.#orders.add(machine.id, id, order),
      lose: () => {
        // It may not have heard of what it was to stop.
        if (!this.#orders.held) this.#tell(machine.id, { kind: "lose", slot: id });
      },
    });
  }

  #open(machine: string, execution: string): void {
    const { driver, epoch, bundle, store, storeWaitMs } = this.#options;
    this.#tell(machine, { kind: "open", execution, driver, epoch, bundle, store, storeWaitMs });
  }

  #tell(machine: string, told: ToMachine): void {
    this.#orders.flush(machine);
    this.#wire.tell(machine, told);
  }

  /** What is too large to be told at once may not be, slot by slot. */
  #sendOrders(machine: string, orders: readonly SlotOrder[]): void {
    try {
      this.#wire.tell(machine, { kind: "orders", ...packOrders(orders) } as ToMachine);
    } catch (error) {
      const [first] = orders;
      if (orders.length > 1) for (const one of orders) this.#sendOrders(machine, [one]);
      else if (first !== undefined) {
        const { slot, order } = first;
        this.#options.onReport({ kind: "failed", execution: order.execution, slot, error: errorToData(error) });
      }
    }
  }
}

const closeGraceMs = 1000;
const bereftLeases = 3;
