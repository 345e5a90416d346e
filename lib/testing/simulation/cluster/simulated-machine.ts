import { systemWorld, type MachineWorld } from "../../../../actors/cluster/machine-world.ts";
import type { LaunchedSlots, LaunchOptions } from "../../../../actors/slots/slot-launcher.ts";
import { machineOf, type SlotsOnWire } from "../../../../actors/transport/wire/slots-on-wire.ts";
import type { Wire } from "../../../../actors/transport/wire/wire.ts";
import { Worker } from "../../../cluster/worker.ts";
import type { LinkMessage, Transport } from "../../../core/contracts/transport.ts";
import { delay } from "../../../core/seam/clock.ts";
import type { Life } from "../life.ts";
import { SimulatedSlots, type SlotWatch } from "../simulated-slots.ts";
import { copyMessage } from "../virtual-transport.ts";
import { SimulatedProcess, type ClusterSurroundings } from "./simulated-process.ts";

export interface SimulatedMachineOptions {
  readonly host: string;
  /** URLs of heads. */
  readonly join: readonly string[];
  readonly slots: number;
  readonly leaseMs: number;
  /** Sees what slots are told and tell. */
  readonly watch?: SlotWatch;
  /** Launches something else than slots. */
  readonly launch?: (options: LaunchOptions) => LaunchedSlots;
}

const bundleMostMs = 5;
const port = 7500;

/** A worker process of a simulated cluster: the worker, its machine, its wire, its slots, all as they are. */
export class SimulatedMachine {
  readonly process: SimulatedProcess;
  readonly #options: SimulatedMachineOptions;
  readonly #around: ClusterSurroundings;
  /** Of its machine, and of the machines that it was before it was given up. */
  readonly #launched: SimulatedSlots[] = [];
  #worker: Worker | undefined;
  /** Names that the cluster had for it. */
  readonly names: string[] = [];

  private constructor(name: string, options: SimulatedMachineOptions, around: ClusterSurroundings) {
    this.#options = options;
    this.#around = around;
    this.process = new SimulatedProcess(name, options.host, around);
    this.process.onEnd(() => {
      for (const slots of this.#launched) slots.killAll();
    });
  }

  /** Starts a worker. It joins as soon as there is a head that leads. */
  static start(name: string, options: SimulatedMachineOptions, around: ClusterSurroundings): SimulatedMachine {
    const machine = new SimulatedMachine(name, options, around);
    machine.#open().catch((error: unknown) => around.clock.fail(error));
    return machine;
  }

  /** Executions that have something to do with it. */
  get executions(): readonly string[] {
    return this.process.dead ? [] : (this.#worker?.machine.executions ?? []);
  }

  /** What is left though nobody needs it any more. */
  get leftBehind(): readonly string[] {
    const files = this.#launched.flatMap(({ closed }) =>
      closed.flatMap(({ id, drive }) => drive.files.map(({ name }) => `file ${name} on the drive of ${id}`)),
    );
    const actors = this.#launched.reduce((sum, slots) => sum + slots.actorsLeft, this.process.actorsLeft);
    return actors === 0 ? files : [...files, `${actors} actors on ${this.process.name}`];
  }

  pause(): void {
    this.process.pause();
    for (const slots of this.#launched) for (const { id } of slots.living) slots.pause(id);
  }

  resume(): void {
    for (const slots of this.#launched) for (const { id } of slots.living) slots.resume(id);
    this.process.resume();
  }

  /** One of its slots ends by itself. */
  killSlot(chance: number): string | undefined {
    const living = this.#launched.at(-1)?.trusted ?? [];
    const slot = living[Math.floor(chance * living.length)];
    if (slot !== undefined) this.#launched.at(-1)?.kill(slot.id);
    return slot?.id;
  }

  async close(): Promise<void> {
    if (this.process.dead) return;
    await this.#worker?.close();
    this.process.exit();
  }

  async #open(): Promise<void> {
    const { join, slots, leaseMs, host } = this.#options;
    this.#worker = await Worker.open({
      world: this.#world(),
      join,
      slots,
      tags: [],
      memoryBytes: undefined,
      bind: { host, port },
      security: { token: undefined, tls: undefined },
      leaseMs,
      turnMs: 0,
      broken: (error) => this.#around.clock.fail(error),
    });
  }

  #world(): MachineWorld {
    return {
      ...processWorld(this.process, this.#around),
      freshId: () => {
        const name = this.#around.freshId("machine");
        this.names.push(name);
        return name;
      },
      launch: (options, wire, slotsOnWire) =>
        this.#options.launch?.(options) ?? this.#launch(options, wire, slotsOnWire),
    };
  }

  #launch(options: LaunchOptions, wire: Wire, slotsOnWire: SlotsOnWire): SimulatedSlots {
    const { life } = this.process;
    const { clock, random, network, trace, files } = this.#around;
    const { watch } = this.#options;
    const launch: LaunchOptions = {
      ...options,
      // The threads of a process don't lose sight of each other.
      leaseMs: Infinity,
      onReport: (report) => life.enter(() => options.onReport(report)),
      onLost: (slot, error, activity) => life.enter(() => options.onLost(slot, error, activity)),
    };
    const transport = (slot: string, local: Transport, slotLife: Life): Transport =>
      new MachineTransport(local, slotsOnWire.transport(slot, wire), slotLife);
    const slots = new SimulatedSlots(launch, { clock, random, network, trace, files, transport, observer: watch });
    this.#launched.push(slots);
    return slots;
  }
}

/** What machines and drivers stand on, in a process of a simulated cluster. */
export function processWorld(process: SimulatedProcess, around: ClusterSurroundings): MachineWorld {
  const drive = process.drive();
  return {
    sockets: process.sockets,
    freshId: around.freshId,
    host: () => process.actorHost(),
    openStore: async () => process.openStore(),
    openBundles: () => ({
      fetch: async ({ url }) => {
        await delay(process.clock, around.random() * bundleMostMs);
        return url;
      },
      release: () => {},
      close: () => {},
    }),
    launch: systemWorld.launch,
    slotWorld: () => ({ host: process.actorHost(), clock: process.clock, disk: () => drive.disk() }),
  };
}

/** The way from a slot to others: those of its machine, and beyond. */
class MachineTransport implements Transport {
  readonly slot: string;
  readonly #local: Transport;
  readonly #wire: Transport;
  readonly #life: Life;

  constructor(local: Transport, wire: Transport, life: Life) {
    this.slot = local.slot;
    this.#local = local;
    this.#wire = wire;
    this.#life = life;
  }

  get bytesSent(): number {
    return this.#local.bytesSent + this.#wire.bytesSent;
  }

  send(to: string, message: LinkMessage): void {
    if (machineOf(to) === machineOf(this.slot)) this.#local.send(to, message);
    else if (!this.#life.dead) this.#wire.send(to, copyMessage(message));
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#local.receive(handler);
    this.#wire.receive((message, from) => this.#life.enter(() => handler(message, from)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#local.close(), this.#wire.close()]);
  }
}
