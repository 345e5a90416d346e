import { TurnHost } from "../../../actors/hosts/turn-host.ts";
import type { Order, Report } from "../../../actors/slot/protocol.ts";
import type { Slot } from "../../../actors/slot/slot.ts";
import type { SlotActivity } from "../../../actors/slot/turn-notes.ts";
import { makeSlot } from "../../../actors/slots/local-slot.ts";
import { successorOf, type LaunchedSlots, type LaunchOptions } from "../../../actors/slots/slot-launcher.ts";
import { slotLost, type SlotEnd } from "../../../actors/slots/slot-lost.ts";
import type { SlotHandle } from "../../../actors/scheduler/execution-request.ts";
import type { Transport } from "../../core/contracts/transport.ts";
import { delay, type Clock } from "../../core/seam/clock.ts";
import type { Random } from "../../core/seam/random.ts";
import type { FileSystem } from "../../core/contracts/file-system.ts";
import type { ResumableFiles } from "../../core/contracts/sink.ts";
import { openFileSystem, type FileSystemOptions } from "../../files/index.ts";
import { HangingNotes } from "./hanging-notes.ts";
import { CountingHost } from "./counting-host.ts";
import { Leases } from "./leases.ts";
import { Life, LivingClock } from "./life.ts";
import { describeOrder, describeReport } from "./describe.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { VirtualDrive } from "./virtual-disk.ts";
import { filesInVirtualTime, type PlaceTrouble } from "./virtual-files.ts";
import type { Endpoint, VirtualNetwork } from "./virtual-network.ts";
import { taskHooks, type WatchedOperators } from "./live-operators.ts";
import type { WaitingCode } from "./waiting-code.ts";

export interface SimulatedSlotsOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: VirtualNetwork;
  readonly trace?: Trace | undefined;
  /** Machines that the slots are dealt to in turn. */
  readonly machines?: number;
  /** Milliseconds until it is noticed that a slot has died, at most. */
  readonly detectMs?: number;
  /** Milliseconds that a slot takes to start, at most. */
  readonly startMs?: number;
  /** Milliseconds that a turn of an actor takes, at most. */
  readonly turnMs?: number;
  /** Milliseconds of work that a task is, at most. Default 0. */
  readonly taskMs?: number | undefined;
  /** Looks at what goes between slots and scheduler before it is handed over: the place for faults in a phase. */
  readonly watch?: SlotWatch;
  /** Looks at the same, also at what the client's slot is told and tells. */
  readonly observer?: SlotWatch | undefined;
  /** The way between slots, where not all are in this network; `local` leads to those that are. */
  readonly transport?: (slot: string, local: Transport, life: Life) => Transport;
  /** Files of users. Default: the real ones. */
  readonly files?: FileSystem & ResumableFiles;
  /** Hears when user code waits. */
  readonly waiting?: WaitingCode | undefined;
  /** Knows the operators, and is told when they may have changed. */
  readonly operators?: WatchedOperators | undefined;
  /** What is wrong with a place of files. */
  readonly trouble?: PlaceTrouble | undefined;
}

export interface SlotWatch {
  readonly ordered?: (slot: string, order: Order) => void;
  readonly reported?: (slot: string, report: Report) => void;
}

/** A slot of a simulated world, as faults see it. */
export interface SimulatedSlot {
  readonly id: string;
  readonly machine: string;
  readonly clock: LivingClock;
  readonly drive: VirtualDrive;
  readonly life: Life;
}

interface Running extends SimulatedSlot {
  readonly slot: Slot;
  readonly host: CountingHost;
  readonly endpoint: Endpoint;
  readonly handle: SlotHandle;
  readonly notes: HangingNotes;
  /** The session was told that it is lost. */
  lost: boolean;
  closing: boolean;
  /** It didn't end in order. */
  crashed: boolean;
}

const detectMsDefault = 50;
const startMsDefault = 20;
const turnMsDefault = 0.05;
const closeGraceMs = 2000;
const hangMs = 60_000;

/**
 * Slots in a simulated world: the same slots as everywhere, each with a clock, actors, a drive and an end of the network of
 * its own, which can be killed and paused.
 */
export class SimulatedSlots implements LaunchedSlots {
  readonly #options: SimulatedSlotsOptions;
  readonly #launch: LaunchOptions;
  readonly #running: Running[] = [];
  readonly #clientEnd: Endpoint;
  readonly #clientLife: Life;
  readonly #clientSlot: Slot;
  readonly #clientHost: CountingHost;
  readonly #files: FileSystem & ResumableFiles;
  readonly #leases: Leases<Running>;
  /** The clock of whoever commands the slots: it stops when that is killed. */
  readonly clock: LivingClock;
  /** The files of users, as whoever commands the slots reaches them. */
  readonly files: FileSystem & ResumableFiles;
  readonly client: SlotHandle;
  readonly slots: SlotHandle[] = [];
  #closed = false;
  #added = 0;

  constructor(launch: LaunchOptions, options: SimulatedSlotsOptions) {
    this.#launch = launch;
    this.#options = options;
    this.#leases = new Leases<Running>(options.clock, launch.leaseMs, (slot, silentMs) => {
      if (!slot.life.dead) this.#lose(slot, { kind: "silent", silentMs });
    });
    const { network, clock, observer } = options;
    this.#files = options.files ?? openFileSystem(launch.files as FileSystemOptions);
    this.#clientEnd = network.open(launch.client);
    this.#clientLife = new Life(clock);
    this.clock = new LivingClock(clock, this.#clientLife);
    this.files = this.#filesOf(this.#clientLife);
    this.#clientHost = new CountingHost(this.turnHost(this.clock));
    this.#clientSlot = makeSlot({
      id: launch.client,
      files: this.files,
      memoryBytes: () => 0,
      transport: network.transport(this.#clientEnd),
      report: (report) => {
        observer?.reported?.(launch.client, report);
        launch.onReport(report);
      },
      world: { host: this.#clientHost, clock: this.clock, disk: () => this.#drive(this.clock).disk() },
    });
    this.client = {
      id: launch.client,
      machine: "client",
      tags: [],
      order: (order) => {
        observer?.ordered?.(launch.client, order);
        this.#clientSlot.order(order);
      },
      lose: () => {},
    };
    const { machines = launch.ids.length } = options;
    launch.ids.forEach((id, index) => this.#start(id, launch.machine ?? `machine-${index % machines}`));
  }

  /** Slots that live, also those that were given up. */
  get living(): readonly SimulatedSlot[] {
    return this.#running.filter(({ life }) => !life.dead);
  }

  /** Slots that live and that the session counts on. */
  get trusted(): readonly SimulatedSlot[] {
    return this.#running.filter(({ life, lost }) => !life.dead && !lost);
  }

  /** Slots that ended as they were told to: they leave nothing on their drives. */
  get closed(): readonly SimulatedSlot[] {
    return this.#running.filter(({ life, crashed }) => life.dead && !crashed);
  }

  /** Actors that slots left running when they were closed. */
  get actorsLeft(): number {
    return this.#running.reduce((sum, { host }) => sum + host.left, this.#clientHost.left);
  }

  /** A host whose turns take a little time each. */
  turnHost(clock: LivingClock): TurnHost {
    const { random, turnMs = turnMsDefault } = this.#options;
    return new TurnHost(random, (turns) => void clock.after(clock.workingMs + random() * turnMs, turns));
  }

  /** Ends a slot at once, as kill -9 does: nothing of it happens any more. The session hears of it a little later. */
  kill(id: string, end: SlotEnd = { kind: "killed", signal: "SIGKILL" }, activity?: SlotActivity): void {
    const slot = this.#find(id);
    if (slot === undefined || slot.life.dead) return;
    this.#note(id, "killed");
    this.#end(slot, true);
    const { random, detectMs = detectMsDefault } = this.#options;
    this.#options.clock.after(random() * detectMs, () => this.#lose(slot, end, activity));
  }

  /** User code of a slot doesn't come back from the task that begins next: the slot is given up in it. */
  hang(id: string): void {
    this.#find(id)?.notes.hangNext((activity) => this.kill(id, { kind: "stuck", stuckMs: hangMs }, activity));
  }

  /** Ends all slots of a machine, with their drives. */
  killMachine(machine: string): void {
    for (const slot of this.living) if (slot.machine === machine) this.kill(slot.id);
  }

  /** Ends everything at once: all slots, and whoever commands them. */
  killAll(): void {
    this.#note("client", "killed, with all slots");
    this.#closed = true;
    for (const slot of this.#running) if (!slot.life.dead) this.#end(slot, true);
    this.#clientLife.end();
    this.#options.network.kill(this.#clientEnd);
  }

  /** Nothing of a slot happens until it is resumed. One that is silent longer than its lease is given up. */
  pause(id: string): void {
    const slot = this.#find(id);
    if (slot === undefined || slot.life.dead || slot.life.paused) return;
    this.#note(id, "paused");
    slot.life.pause();
    this.#options.network.hold(slot.endpoint);
    this.reachabilityChanged();
  }

  resume(id: string): void {
    const slot = this.#find(id);
    if (slot === undefined || !slot.life.paused) return;
    this.#note(id, slot.lost ? "resumed, though it was given up" : "resumed");
    slot.life.resume();
    this.#options.network.release(slot.endpoint);
    this.reachabilityChanged();
  }

  /** To be called when slots are parted from the client or come back: their leases run. */
  reachabilityChanged(): void {
    const { network } = this.#options;
    const client = this.client.id;
    for (const slot of this.#running) {
      const { id, life, lost } = slot;
      if (life.dead || lost) continue;
      if (!life.paused && network.reaches(id, client) && network.reaches(client, id)) this.#leases.heard(slot);
      else this.#leases.silent(slot);
    }
  }

  /** Another slot comes, on a machine of its own. Returns its name. */
  add(): string {
    const id = `added-${++this.#added}`;
    this.#start(id, `machine-of-${id}`);
    return id;
  }

  async replace(lost: string): Promise<void> {
    const { clock, random, startMs = startMsDefault } = this.#options;
    await delay(clock, random() * startMs);
    if (this.#closed) return;
    const machine = this.#find(lost)?.machine ?? "machine-0";
    this.#start(successorOf(lost), machine);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { clock } = this.#options;
    const living = this.#running.filter(({ life }) => !life.dead);
    await Promise.all(
      living.map(async (slot) => {
        slot.closing = true;
        // One that is paused doesn't answer.
        const late = new Promise<"late">((resolve) => {
          clock.after(slot.life.paused ? 0 : closeGraceMs, () => resolve("late"));
        });
        this.#end(slot, (await Promise.race([this.#closeInOrder(slot), late])) === "late");
      }),
    );
    await this.#clientSlot.close();
  }

  /** Tells a slot to close, behind what it was told before. */
  #closeInOrder(slot: Running): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#options.network.send(this.#clientEnd, slot.endpoint, {
        kind: "control",
        value: undefined,
        copy: () => undefined,
        deliver: () => void slot.slot.close().then(resolve, reject),
        what: "order close",
        repeatable: false,
      });
    });
  }

  #start(id: string, machine: string): void {
    const { clock: base, network, transport } = this.#options;
    const life = new Life(base);
    const clock = new LivingClock(base, life);
    const endpoint = network.open(id);
    endpoint.onDropped = (other) => this.#dropped(id, other);
    const local = network.transport(endpoint);
    const drive = this.#drive(clock);
    const host = new CountingHost(this.turnHost(clock));
    const { taskMs = 0, random, waiting, operators } = this.#options;
    const work = taskMs === 0 ? undefined : (): void => clock.work(random() * taskMs);
    const notes = new HangingNotes({ waiting, ...taskHooks(work, operators) });
    const slot = makeSlot({
      id,
      notes,
      files: this.#filesOf(life),
      memoryBytes: () => 0,
      transport: transport?.(id, local, life) ?? local,
      report: (report) => this.#report(running, report),
      loaded: operators === undefined ? undefined : (program) => operators.of.watching(program, () => notes.present),
      world: { host, clock, disk: () => drive.disk() },
    });
    const handle: SlotHandle = {
      id,
      machine,
      tags: this.#launch.tags,
      order: (order) => this.#order(running, order),
      lose: () => this.#giveUp(running),
    };
    const parts = { id, machine, clock, drive, life, slot, host, endpoint, handle, notes };
    const running: Running = { ...parts, lost: false, closing: false, crashed: false };
    this.#note(id, `starts on ${machine}`);
    this.#running.push(running);
    this.slots.push(handle);
  }

  #drive(clock: Clock): VirtualDrive {
    return new VirtualDrive({ clock, random: this.#options.random });
  }

  #filesOf(life: Life): FileSystem & ResumableFiles {
    const { clock, random } = this.#options;
    return filesInVirtualTime(this.#files, { clock, random, life, trouble: this.#options.trouble });
  }

  #order(slot: Running, order: Order): void {
    this.#options.network.send<Order>(this.#clientEnd, slot.endpoint, {
      kind: "control",
      value: order,
      copy: (value) => structuredClone(value),
      deliver: (arrived) => {
        this.#options.watch?.ordered?.(slot.id, arrived);
        this.#options.observer?.ordered?.(slot.id, arrived);
        if (!slot.life.dead) slot.slot.order(arrived);
      },
      what: describeOrder(order),
      repeatable: false,
    });
  }

  #report(slot: Running, report: Report): void {
    this.#options.watch?.reported?.(slot.id, report);
    if (!slot.lost) this.#options.observer?.reported?.(slot.id, report);
    this.#options.network.send<Report>(slot.endpoint, this.#clientEnd, {
      kind: "control",
      value: report,
      copy: (value) => structuredClone(value),
      deliver: (arrived) => this.#launch.onReport(arrived),
      what: describeReport(report),
      repeatable: false,
    });
  }

  /**
   * A link broke though both ends live. Nobody sends again what was in flight: a slot that lost its client ends itself, and
   * of two slots one is given up.
   */
  #dropped(id: string, other: string): void {
    const slot = this.#find(id);
    const peer = this.#find(other);
    if (slot === undefined || slot.life.dead) return;
    // Both are told; the first one decides.
    if (peer === undefined) this.kill(id);
    else if (!peer.life.dead) this.#giveUp(this.#options.random() < 0.5 ? slot : peer);
  }

  /** It didn't answer in time: whoever gives it up ends it. */
  #giveUp(slot: Running): void {
    if (slot.life.dead) return;
    this.#note(slot.id, "ended, because it was given up");
    this.#end(slot, true);
    this.#lose(slot, { kind: "late" });
  }

  #lose(slot: Running, end: SlotEnd, activity?: SlotActivity): void {
    if (slot.lost || slot.closing || this.#clientLife.dead) return;
    slot.lost = true;
    this.#note(slot.id, slot.life.dead ? "is found to be dead" : "is given up, though it lives");
    this.#launch.onLost(slot.id, slotLost(slot.id, end), activity);
  }

  #end(slot: Running, crashed: boolean): void {
    slot.life.end();
    slot.crashed = crashed;
    this.#options.network.kill(slot.endpoint);
    if (crashed) slot.drive.crash({ keeps: true });
  }

  #find(id: string): Running | undefined {
    return this.#running.find((slot) => slot.id === id);
  }

  #note(who: string, what: string): void {
    this.#options.trace?.add(this.#options.clock.monotonic(), who, what);
  }
}
