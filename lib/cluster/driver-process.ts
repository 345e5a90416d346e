import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { errorToData, QStreamError } from "../core/errors.ts";
import { systemClock } from "../core/seam/clock.ts";
import type { DriverStart, FromDriver, ToDriver } from "./protocol.ts";

// Its start takes from the cores what the execution that has just begun could use.
const spareAfterMs = 1000;

/**
 * Starts drivers. One process waits loaded, for the execution that comes next: to start one takes longer than all else that happens
 * before an execution runs.
 */
export class SpareDrivers {
  #spare: ChildProcess | undefined;
  #stopWaiting = (): void => {};
  #closed = true;

  /** From now on one waits. */
  open(): void {
    this.#closed = false;
    this.#stopWaiting();
    this.#make();
  }

  take(): ChildProcess {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#stopWaiting();
    if (!this.#closed) this.#stopWaiting = systemClock.after(spareAfterMs, () => this.#make());
    return spare?.connected === true ? spare : forkDriver();
  }

  close(): void {
    this.#closed = true;
    this.#stopWaiting();
    this.#spare?.kill("SIGKILL");
    this.#spare = undefined;
  }

  #make(): void {
    if (this.#closed || this.#spare?.connected === true) return;
    const spare = forkDriver();
    this.#spare = spare;
    spare.once("exit", () => {
      if (this.#spare === spare) this.#spare = undefined;
    });
    spare.on("error", () => {});
  }
}

function forkDriver(): ChildProcess {
  return fork(fileURLToPath(new URL("./driver-entry.js", import.meta.url)), [], {
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: ["--enable-source-maps"],
  });
}

/** What the head hears of a driver: last of all that its process has ended. */
export type FromDriverProcess = FromDriver | { readonly kind: "gone"; readonly error: QStreamError };

/** The process of a driver, as the head sees it. */
export class DriverProcess {
  /** Drivers that the execution has had, with this one. */
  readonly number: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(child: ChildProcess, start: DriverStart, told: (message: FromDriverProcess) => void) {
    this.number = start.driver;
    this.#child = child;
    child.on("message", (message: FromDriver) => told(message));
    child.on("error", (error) => told({ kind: "failed", error: errorToData(error) }));
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
        const error = new QStreamError("EXECUTION_FAILED", `the driver of the execution ${how}`, {
          advice: "What it wrote last, on the machine of the head, may say why",
        });
        told({ kind: "gone", error });
        resolve();
      });
    });
    this.tell(start);
  }

  tell(message: ToDriver): void {
    // One that has just ended says so by its exit.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Ends the process as it is: another one goes on with its execution. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
