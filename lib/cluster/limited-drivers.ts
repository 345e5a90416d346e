import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import { errorToData, QStreamError } from "../core/errors.ts";
import type { DriverHandle, Drivers, FromDriverProcess } from "./driver-process.ts";
import type { DriverStart, ToDriver } from "./protocol.ts";

/** Executions of a cluster that run at once, unless its head is told otherwise: each has a driver, a process of the head's host. */
export const executionsDefault = 16;

const waitingMaxDefault = 256;

type Told = (message: FromDriverProcess) => void;

/** Has only so many executions run at once: others wait for one of these to end, in the order in which they came. */
export class LimitedDrivers implements Drivers {
  readonly #drivers: Drivers;
  readonly #most: number;
  readonly #waitingMax: number;
  /** Executions whose turn it is, from their first driver to their end. */
  readonly #on = new Set<string>();
  readonly #waiting = new Set<WaitingDriver>();

  /** @param most - executions that run at once */
  constructor(drivers: Drivers, most: number = executionsDefault, waitingMax: number = waitingMaxDefault) {
    this.#drivers = drivers;
    this.#most = most;
    this.#waitingMax = waitingMax;
  }

  open(): void {
    this.#drivers.open();
  }

  close(): void {
    this.#on.clear();
    this.#waiting.clear();
    this.#drivers.close();
  }

  /** Looks whether one more execution can be taken, to run or to wait. @throws QStreamError CLUSTER_FULL */
  admit(): void {
    if (this.#on.size < this.#most || this.#waiting.size < this.#waitingMax) return;
    throw new QStreamError(
      "CLUSTER_FULL",
      `the cluster runs ${this.#most} executions, and ${this.#waiting.size} wait: it takes no more`,
      {
        advice:
          "Submit it again later, cancel what nobody needs (qstream ps), or start the head with more --executions",
      },
    );
  }

  start(start: DriverStart, told: Told): DriverHandle {
    const { execution } = start;
    const isOn = this.#on.has(execution) || (this.#on.size < this.#most && this.#waiting.size === 0);
    if (isOn) {
      this.#on.add(execution);
      return this.#drivers.start(start, told);
    }
    const waiting = new WaitingDriver(start, told, (gone) => void this.#waiting.delete(gone));
    this.#waiting.add(waiting);
    const before = this.#waiting.size - 1;
    const others = before > 0 ? `, after ${before} that came before` : "";
    const missing = `the end of one of the ${this.#most} executions that run${others}`;
    waiting.say({ kind: "event", event: { kind: "waiting", execution, missing, waitMs: Infinity } });
    return waiting;
  }

  /** An execution has ended: its driver may still close what it had. */
  over(execution: string): void {
    this.#on.delete(execution);
    for (const next of this.#waiting) {
      if (this.#on.size >= this.#most) return;
      this.#waiting.delete(next);
      this.#on.add(next.execution);
      next.begin(this.#drivers);
    }
  }
}

/** A driver that isn't started yet. What it is told meanwhile is done when it is, or answered here. */
class WaitingDriver implements DriverHandle {
  readonly number: number;
  readonly #start: DriverStart;
  readonly #told: Told;
  readonly #gone: (gone: WaitingDriver) => void;
  readonly #machines: Map<string, MachinePlace>;
  #driver: DriverHandle | undefined;
  #isOver = false;

  constructor(start: DriverStart, told: Told, gone: (gone: WaitingDriver) => void) {
    this.number = start.driver;
    this.#start = start;
    this.#told = told;
    this.#gone = gone;
    this.#machines = new Map(start.machines.map((machine) => [machine.id, machine]));
  }

  get execution(): string {
    return this.#start.execution;
  }

  get waits(): boolean {
    return this.#driver === undefined && !this.#isOver;
  }

  /** Whoever started it has yet to know it. */
  say(...messages: readonly FromDriverProcess[]): void {
    queueMicrotask(() => {
      for (const message of messages) this.#told(message);
    });
  }

  begin(drivers: Drivers): void {
    this.#driver = drivers.start({ ...this.#start, machines: [...this.#machines.values()] }, this.#told);
  }

  tell(message: ToDriver): void {
    if (this.#driver !== undefined) this.#driver.tell(message);
    else if (!this.#isOver) this.#answer(message);
  }

  async kill(): Promise<void> {
    this.#leave();
    await this.#driver?.kill();
  }

  #leave(): void {
    this.#isOver = true;
    this.#gone(this);
  }

  #answer(message: ToDriver): void {
    switch (message.kind) {
      case "machine":
        this.#machines.set(message.machine.id, message.machine);
        return;
      case "machine-gone":
        this.#machines.delete(message.machine);
        return;
      case "drain":
        this.#machines.delete(message.machine);
        this.say({ kind: "drained", machine: message.machine });
        return;
      case "rebalance":
        this.say({ kind: "rebalanced", moves: [] });
        return;
      case "actors":
        // Nobody has heard of a system that waits.
        return;
      case "cancel": {
        this.#leave();
        const error = new QStreamError("ABORTED", `the execution was stopped before it began: ${message.reason}`);
        this.say({ kind: "failed", error: errorToData(error) }, { kind: "gone", error });
        return;
      }
      case "begin":
      case "start":
    }
  }
}
