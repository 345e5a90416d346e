import { errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { SlotHandle } from "../scheduler/execution-request.ts";
import type { Order, Report } from "../slot/protocol.ts";
import type { SlotActivity } from "../slot/turn-notes.ts";
import type { LaunchedSlots, LaunchOptions } from "../slots/slot-launcher.ts";
import { SlotsOnWire, slotOn } from "../transport/wire/slots-on-wire.ts";
import { Wire } from "../transport/wire/wire.ts";
import type { BundleSource } from "./bundles.ts";
import { checkToMachine } from "./check-told.ts";
import { DistantAuthority } from "./distant-authority.ts";
import type { Guest } from "./guest.ts";
import { LineageWriters } from "./lineage-writers.ts";
import { MachineCounter, type MachineCounts } from "./machine-counts.ts";
import type { MachineOptions } from "./machine-options.ts";
import { systemWorld, type MachineWorld } from "./machine-world.ts";
import { unpackOrders } from "./packed-places.ts";
import { PeerWatch } from "./peer-watch.ts";
import type { FromMachine, MachineOffer, ToMachine } from "./protocol.ts";
import { Stops } from "./stops.ts";

const leaveGraceMs = 500;

/**
 * A process that offers slots to the executions of a cluster. Drivers of executions tell it what its slots are to do; parcels
 * go from slot to slot over its wire.
 */
export class Machine {
  readonly #options: MachineOptions;
  readonly #world: MachineWorld;
  readonly #slotsOnWire = new SlotsOnWire();
  readonly #bundles: BundleSource;
  readonly #authority: DistantAuthority;
  readonly #lineage: LineageWriters;
  readonly #guests = new Map<string, Guest>();
  readonly #drivers = new Set<string>();
  /** Those that have said that they end. */
  readonly #leaving = new Set<string>();
  readonly #lost = new Set<string>();
  readonly #stops = new Stops();
  readonly #peers: PeerWatch;
  #epoch = 0;
  readonly #counter = new MachineCounter();
  #executionsServed = 0;
  #storeAway = false;
  #launched: LaunchedSlots | undefined;
  #wire: Wire | undefined;
  #closed = false;

  private constructor(options: MachineOptions) {
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#bundles = this.#world.openBundles(options.security, options.settleCode);
    this.#authority = new DistantAuthority(
      (execution) => this.#guests.get(execution)?.driver,
      (driver, message) => this.#tell(driver, message),
    );
    this.#lineage = new LineageWriters({
      world: this.#world,
      authority: this.#authority,
      leaseMs: options.leaseMs,
      order: (slot, order) => this.#slot(slot)?.order(order),
      storeAway: (away) => this.#storeIs(away),
    });
    this.#peers = new PeerWatch({
      clock: this.#world.sockets.clock,
      leaseMs: options.leaseMs,
      stuck: (forMs) => this.#wire?.stuck(forMs) ?? [],
      told: (peer) => this.#peerSilent(peer),
    });
  }

  /** Listens, and starts the slots. @throws QStreamError OPTION_INVALID */
  static async open(options: MachineOptions): Promise<Machine> {
    const machine = new Machine(options);
    const { id, bind, security, advertise, leaseMs } = options;
    const wire = await Wire.open({
      machine: id,
      sockets: machine.#world.sockets,
      bind,
      security,
      advertise,
      leaseMs,
      link: (to, from, message) => machine.#slotsOnWire.deliver(to, from, message),
      told: (driver, content) => machine.#told(driver, checkToMachine(content)),
      silent: (driver, silentMs) => machine.#driverGone(driver, `nothing was heard of it for ${silentMs} ms`),
      givenUp: (other) => machine.#brokenWith(other),
    });
    machine.#wire = wire;
    machine.#launched = machine.#launch(wire);
    return machine;
  }

  #launch(wire: Wire): LaunchedSlots {
    const { id, slots, tags, memoryBytes, datasetBytes, files, leaseMs, turnMs, compression } = this.#options;
    const launch: LaunchOptions = {
      ids: Array.from({ length: slots }, (_, index) => slotOn(id, `slot-${index}`)),
      client: slotOn(id, "main"),
      machine: id,
      tags,
      memoryBytes,
      datasetBytes,
      logged: true,
      files,
      stdout: "stderr",
      leaseMs,
      turnMs,
      compression,
      onReport: (report) => this.#report(report),
      onLost: (slot, error, activity) => this.#slotLost(slot, error, activity),
      onProcessLost: (error) => this.#options.broken(error),
    };
    return this.#world.launch(launch, wire, this.#slotsOnWire);
  }

  get url(): string {
    return this.#wire?.url ?? "";
  }

  /** What it offers now. */
  get offer(): MachineOffer {
    const { id, tags, host, memoryBytes } = this.#options;
    const slots = this.#living.map((slot) => slot.id);
    const storeAway = this.#storeAway ? { storeAway: true } : {};
    return { id, url: this.url, slots, tags, host, memoryBytes, ...storeAway };
  }

  /** Executions that it has had something to do for. */
  get executionsServed(): number {
    return this.#executionsServed;
  }

  /** Executions that have something to do with it. */
  get executions(): readonly string[] {
    return [...this.#guests.keys()];
  }

  /** What came and was refused: by the wire, for slots that aren't here, and of executions that the sender doesn't run here (any more). */
  get refused(): number {
    return (this.#wire?.refused ?? 0) + this.#slotsOnWire.unclaimed + this.#counter.strayOrders;
  }

  /** What went wrong on the way, and was refused or made good. */
  get counts(): MachineCounts {
    return this.#counter.all(this.#wire?.counts, this.#slotsOnWire.unclaimed);
  }

  /** The latest epoch of a head that it has heard of. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The epoch of a head that leads: drivers of those before it are refused from now on. False where it doesn't lead any more. */
  heardOf(epoch: number): boolean {
    this.#epoch = Math.max(this.#epoch, epoch);
    return epoch === this.#epoch;
  }

  /** Another machine never comes back under its name. */
  machineGone(machine: string): void {
    this.#wire?.giveUp(machine);
    this.#peers.gone(machine);
  }

  /** Nobody needs these datasets any more. */
  releaseDatasets(datasets: readonly string[]): void {
    for (const slot of this.#living) {
      for (const dataset of datasets) slot.order({ kind: "release-dataset", execution: "", dataset });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#peers.close();
    await this.#launched?.close();
    await this.#lineage.end();
    await this.#wire?.close();
    this.#bundles.close();
  }

  get #living(): readonly SlotHandle[] {
    return this.#launched?.slots.filter((slot) => !this.#lost.has(slot.id)) ?? [];
  }

  #slot(id: string): SlotHandle | undefined {
    return this.#living.find((slot) => slot.id === id);
  }

  #told(driver: string, told: ToMachine): void {
    if (this.#leaving.has(driver)) return;
    if (!this.#drivers.has(driver)) {
      this.#drivers.add(driver);
      this.#wire?.watch(driver);
      this.#tell(driver, { kind: "slots", slots: this.#living.map(({ id }) => id), tags: this.#options.tags });
    }
    switch (told.kind) {
      case "open":
        this.#open(driver, told);
        return;
      case "machines":
        for (const { id, url } of told.machines) this.#wire?.meet(id, url);
        return;
      case "orders":
        for (const { slot, order } of unpackOrders(told)) this.#order(driver, slot, order);
        return;
      case "lose":
        this.#slot(told.slot)?.lose();
        return;
      case "lineage-answer":
        this.#authority.answered(told.question, told.yes);
        return;
      case "leave":
        this.#driverLeaves(driver);
    }
  }

  #open(driver: string, opened: Extract<ToMachine, { kind: "open" }>): void {
    const { execution, driver: number, epoch, bundle, store, storeWaitMs } = opened;
    const before = this.#guests.get(execution);
    const isLate = before !== undefined && before.driver !== driver && before.number >= number;
    if (isLate || !this.heardOf(epoch)) {
      this.#tell(driver, { kind: "taken", execution });
      return;
    }
    if (before !== undefined && before.driver !== driver) {
      this.#tell(before.driver, { kind: "taken", execution });
      this.#stop(execution, "another driver goes on with it");
    }
    const isLogged = store !== "none";
    const writing = isLogged ? this.#lineage.open(execution, store, storeWaitMs) : undefined;
    const fetched = this.#bundles.fetch(bundle, execution);
    const ready = Promise.all([fetched, writing, this.#stops.stopped(execution)]);
    const code = ready.then(([url]) => url);
    // Who waits for it hears of that; a machine that nothing is placed on has no use for it.
    code.catch(() => {});
    this.#guests.set(execution, {
      driver,
      number,
      code,
      isLogged,
      isServed: before?.isServed ?? false,
      isReleased: false,
      recordsTold: 0,
    });
    if (isLogged && this.#storeAway) this.#tell(driver, { kind: "store-away", away: true });
  }

  /** Orders wait for the code of their execution, and come to the slot in their order. */
  #order(driver: string, slot: string, order: Order): void {
    const handle = this.#slot(slot);
    const guest = this.#guests.get(order.execution);
    if (handle === undefined) return;
    if (guest === undefined || guest.driver !== driver) {
      // The first slot's release has forgotten the execution, and the others have theirs to come.
      if (order.kind === "release-dataset" || (order.kind === "release" && guest === undefined)) handle.order(order);
      else this.#counter.strayOrders++;
      return;
    }
    if (order.kind === "prepare" && !guest.isServed) {
      guest.isServed = true;
      this.#executionsServed++;
    }
    guest.code.then(
      (load) => handle.order(order.kind === "prepare" ? { ...order, reference: { ...order.reference, load } } : order),
      (error: unknown) => {
        if (order.kind !== "prepare") return;
        this.#report({ kind: "failed", execution: order.execution, slot, error: errorToData(error) });
      },
    );
    // Its driver may keep it for another try, but slots don't know it any more.
    if (order.kind !== "release") return;
    guest.isReleased = true;
    void guest.code.finally(() => this.#forget(order.execution)).catch(() => {});
  }

  #forget(execution: string): void {
    this.#guests.delete(execution);
    this.#bundles.release(execution);
    this.#lineage.close(execution, new QStreamError("ABORTED", `execution ${execution} is over`));
  }

  #report(report: Report): void {
    if (report.kind === "lineage-append" || report.kind === "lineage-call") {
      this.#lineage.receive(report);
      return;
    }
    if (report.kind === "dropped") return this.#counter.dropped(report);
    const { execution } = report;
    if (this.#stops.takes(report)) return;
    const guest = this.#guests.get(execution);
    if (guest === undefined) return;
    const written = this.#lineage.written(execution);
    if (written !== undefined && written.records !== guest.recordsTold) {
      guest.recordsTold = written.records;
      this.#tell(guest.driver, { kind: "lineage", execution, said: { kind: "written", written } });
    }
    // Between machines a message may take as long as a network is away.
    const onWire = report.kind === "progress" && (this.#wire?.bytesKept(this.#drivers) ?? 0) > 0;
    this.#tell(guest.driver, { kind: "report", report: onWire ? { ...report, onItsWay: true } : report });
  }

  #slotLost(slot: string, error: Error, activity: SlotActivity | undefined): void {
    if (this.#lost.has(slot) || this.#closed) return;
    this.#lost.add(slot);
    this.#stops.slotLost(slot);
    for (const driver of this.#drivers) {
      this.#tell(driver, { kind: "slot-lost", slot, error: errorToData(error), activity });
    }
    const before = new Set(this.#living.map(({ id }) => id));
    const replaced = (): void => {
      const added = this.#living.find(({ id }) => !before.has(id));
      for (const driver of this.#drivers) this.#tell(driver, { kind: "slot-replaced", lost: slot, slot: added?.id });
      this.#options.offers?.();
    };
    this.#launched?.replace(slot).then(replaced, replaced);
  }

  /** Drivers that can reach the store themselves let others make again what this machine can't write down. */
  #storeIs(away: boolean): void {
    const drivers = new Set([...this.#guests.values()].flatMap(({ driver, isLogged }) => (isLogged ? [driver] : [])));
    for (const driver of drivers) this.#tell(driver, { kind: "store-away", away });
    if (this.#storeAway === away) return;
    this.#storeAway = away;
    this.#options.offers?.();
  }

  /** It waits until it knows that this has come, and has nothing else to say. */
  #driverLeaves(driver: string): void {
    this.#leaving.add(driver);
    this.#world.sockets.clock.after(leaveGraceMs, () => {
      this.#leaving.delete(driver);
      this.#wire?.giveUp(driver);
    });
    this.#driverEnds(driver, "it ended");
  }

  /** Another machine, which its drivers may reach: what waits for it would wait for ever. */
  #peerSilent(machine: string): void {
    for (const driver of this.#drivers) {
      if (driver !== machine) this.#tell(driver, { kind: "peer-silent", machine });
    }
  }

  /** It has given this machine up, or was given up. */
  #brokenWith(other: string): void {
    if (this.#drivers.has(other)) this.#driverGone(other, "it has given this machine up");
    else if (!this.#leaving.has(other)) this.#peers.brokenWith(other);
  }

  /** A driver is gone, or has given this machine up. */
  #driverGone(driver: string, why: string): void {
    this.#wire?.giveUp(driver);
    this.#driverEnds(driver, why);
  }

  /** What it ran here is stopped, since somebody else may go on with it. */
  #driverEnds(driver: string, why: string): void {
    if (!this.#drivers.delete(driver)) return;
    for (const [execution, guest] of this.#guests) {
      if (guest.driver !== driver) continue;
      // One that is done isn't taken by anybody, and stopping it would drop its datasets.
      if (guest.isReleased) this.#forget(execution);
      else this.#stop(execution, why);
    }
    this.#authority.driverGone(driver);
  }

  #stop(execution: string, why: string): void {
    this.#stops.stop(execution, this.#living, why);
    this.#forget(execution);
  }

  #tell(driver: string, told: FromMachine): void {
    this.#wire?.tell(driver, told);
  }
}
