import { Head } from "../../../cluster/head.ts";
import { Driver, type DriverWorld } from "../../../cluster/driver.ts";
import type { DriverHandle, Drivers, FromDriverProcess } from "../../../cluster/driver-process.ts";
import type { HeadWorld } from "../../../cluster/head-world.ts";
import type { DriverStart, FromDriver, ToDriver } from "../../../cluster/protocol.ts";
import { QStreamError } from "../../../core/errors.ts";
import type { Endpoint } from "../virtual-network.ts";
import { processWorld } from "./simulated-machine.ts";
import { SimulatedProcess, type ClusterSurroundings } from "./simulated-process.ts";

export interface SimulatedHeadOptions {
  readonly host: string;
  readonly leaseMs: number;
  readonly checkpointEveryMs: number;
  readonly seed: number;
  /** A driver was started. */
  readonly driverStarted: (driver: SimulatedDriver) => void;
}

export const headPort = 7420;
const ipcMostMs = 5;
const noticeMostMs = 20;

/** A head's process of a simulated cluster, which starts drivers as processes on its host. */
export class SimulatedHead {
  readonly process: SimulatedProcess;
  /** Where others find it. */
  readonly url: string;
  readonly #options: SimulatedHeadOptions;
  readonly #around: ClusterSurroundings;
  readonly #drivers = new Set<SimulatedDriver>();
  readonly #end: Endpoint;
  #head: Head | undefined;
  /** Names that it has had. */
  readonly ids: string[] = [];

  private constructor(name: string, options: SimulatedHeadOptions, around: ClusterSurroundings) {
    this.#options = options;
    this.#around = around;
    this.process = new SimulatedProcess(name, options.host, around);
    this.url = `ws://${options.host}:${headPort}`;
    this.#end = around.network.open(around.freshId("ipc"));
    this.process.onEnd(() => {
      around.network.kill(this.#end);
      for (const driver of this.#drivers) driver.orphaned();
    });
  }

  /** Starts a head. Where it can't come up, its process ends. */
  static start(name: string, options: SimulatedHeadOptions, around: ClusterSurroundings): SimulatedHead {
    const head = new SimulatedHead(name, options, around);
    head.#open().catch((error: unknown) => {
      head.process.note(error instanceof Error ? error.message : String(error));
      head.process.exit();
    });
    return head;
  }

  /** It has come up. */
  get wasUp(): boolean {
    return this.#head !== undefined;
  }

  /** Its epoch while it leads. */
  get epoch(): number | undefined {
    return this.process.dead ? undefined : this.#head?.epoch;
  }

  async close(): Promise<void> {
    if (this.process.dead) return;
    await this.#head?.close();
    this.process.exit();
  }

  async #open(): Promise<void> {
    const { host, leaseMs } = this.#options;
    this.#head = await Head.open({
      world: this.#world(),
      bind: { host, port: headPort },
      security: { token: undefined, tls: undefined },
      store: "redis://simulated",
      leaseMs,
      onLead: (epoch) => this.process.note(epoch === undefined ? "waits" : `leads under epoch ${epoch}`),
    });
  }

  #world(): HeadWorld {
    const { process } = this;
    const { freshId } = this.#around;
    return {
      sockets: process.sockets,
      freshId,
      openCoordination: async (_, head) => {
        this.ids.push(head);
        return process.openCoordination(head);
      },
      openStore: async () => process.openStore(),
      drivers: () => this.#spawner(),
    };
  }

  #spawner(): Drivers {
    return {
      open: () => {},
      close: () => {},
      start: (start, told) => {
        const { clock, random } = this.#around;
        const driver = new SimulatedDriver(this.#options, this.#around, this.#end, start, (message) => {
          this.process.life.enter(() => told(message));
        });
        this.#drivers.add(driver);
        driver.process.onEnd(() => {
          this.#drivers.delete(driver);
          // Behind all that it had said.
          clock.after(ipcMostMs + random() * ipcMostMs, () => {
            const gone = new QStreamError("EXECUTION_FAILED", "the driver of the execution ended");
            this.process.life.enter(() => told({ kind: "gone", error: gone }));
          });
        });
        this.#options.driverStarted(driver);
        return driver;
      },
    };
  }
}

/** A driver's process, on the host of the head that started it. */
export class SimulatedDriver implements DriverHandle {
  readonly number: number;
  readonly execution: string;
  readonly process: SimulatedProcess;
  readonly #around: ClusterSurroundings;
  readonly #head: Endpoint;
  readonly #end: Endpoint;
  readonly #driver: Driver;
  readonly #told: (message: FromDriverProcess) => void;

  constructor(
    options: SimulatedHeadOptions,
    around: ClusterSurroundings,
    head: Endpoint,
    start: DriverStart,
    told: (message: FromDriverProcess) => void,
  ) {
    this.number = start.driver;
    this.execution = start.execution;
    this.#around = around;
    this.#head = head;
    this.#told = told;
    this.process = new SimulatedProcess(around.freshId("driver-process"), options.host, around);
    this.#end = around.network.open(around.freshId("ipc"));
    this.process.onEnd(() => around.network.kill(this.#end));
    this.#driver = new Driver((message) => this.#tell(message), this.#world(options));
    this.tell(start);
  }

  tell(message: ToDriver): void {
    this.#around.network.send<ToDriver>(this.#head, this.#end, {
      kind: "control",
      value: message,
      copy: (value) => structuredClone(value),
      deliver: (arrived) => this.process.life.enter(() => this.#heard(arrived)),
      what: `tells the driver: ${message.kind}`,
      repeatable: false,
    });
  }

  kill(): Promise<void> {
    this.process.kill();
    return Promise.resolve();
  }

  /** Its head is dead: it ends as soon as it notices. */
  orphaned(): void {
    const { clock, random } = this.#around;
    const noticed = (): void => void this.process.clock.after(random() * noticeMostMs, () => this.process.exit());
    // One that stood still does a little before it hears of that.
    clock.after(0, () => this.process.life.enter(noticed));
  }

  #tell(message: FromDriver): void {
    if (message.kind === "idle") return;
    this.#around.network.send<FromDriverProcess>(this.#end, this.#head, {
      kind: "control",
      value: message,
      copy: (value) => structuredClone(value),
      deliver: (arrived) => this.#told(arrived),
      what: `the driver says: ${message.kind}`,
      repeatable: false,
    });
  }

  #heard(message: ToDriver): void {
    if (message.kind !== "start") {
      this.#driver.told(message);
      return;
    }
    this.#driver.run(message).then(
      // What it has said is on its way.
      () => void this.process.clock.after(ipcMostMs, () => this.process.exit()),
      (error: unknown) => this.#around.clock.fail(error),
    );
  }

  #world({ checkpointEveryMs, seed }: SimulatedHeadOptions): DriverWorld {
    return {
      ...processWorld(this.process, this.#around),
      files: () => this.process.files,
      session: { checkpointEveryMs, seed },
      sessionWorld: { wholeCheckpoints: { belowBytes: 0, changesShare: Infinity, changesMost: 2 } },
    };
  }
}
