import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { errorToData, QStreamError } from "../core/errors.ts";
import { systemClock } from "../core/seam/clock.ts";
import type { DriverStart, FromDriver, ToDriver } from "./protocol.ts";

// Its start takes from the cores what the execution that has just begun could use.
const settledAfterMs = 1000;
// While executions follow each other, one begins before the driver of the one before has closed all that it had.
const waitingMax = 2;

/** A driver, as its head sees it. */
export interface DriverHandle {
  /** Drivers that the execution has had, with this one. */
  readonly number: number;
  /** It isn't started: others run. */
  readonly waits?: boolean;
  tell: (message: ToDriver) => void;
  /** Ends it as it is: another one goes on with its execution. */
  kill: () => Promise<void>;
}

/** How a head starts drivers. */
export interface Drivers {
  /** From now on there may be work. */
  open: () => void;
  start: (start: DriverStart, told: (message: FromDriverProcess) => void) => DriverHandle;
  close: () => void;
}

/**
 * Starts drivers. One process waits loaded, for the execution that comes next: to start one takes longer than all else that happens
 * before an execution runs. A process whose execution is done takes the next one, too.
 */
export class SpareDrivers implements Drivers {
  /** Those that wait, the latest last: what it loaded for its execution is what the next one most likely needs. */
  #waiting: ChildProcess[] = [];
  #stopSettling = (): void => {};
  #closed = true;

  /** From now on one waits. */
  open(): void {
    this.#closed = false;
    this.#settle();
  }

  start(start: DriverStart, told: (message: FromDriverProcess) => void): DriverHandle {
    return new DriverProcess(this.take(), start, told, (driver) => this.#takeBack(driver));
  }

  take(): ChildProcess {
    const driver = this.#waiting.pop();
    this.#settleLater();
    return driver?.connected === true ? driver : this.#fork();
  }

  close(): void {
    this.#closed = true;
    this.#stopSettling();
    for (const driver of this.#waiting.splice(0)) driver.kill("SIGKILL");
  }

  /** An execution is done, and its driver can have another. */
  #takeBack(driver: ChildProcess): void {
    if (this.#closed || this.#waiting.length >= waitingMax) driver.disconnect();
    else this.#waiting.push(driver);
    this.#settleLater();
  }

  #settleLater(): void {
    this.#stopSettling();
    if (!this.#closed) this.#stopSettling = systemClock.after(settledAfterMs, () => this.#settle());
  }

  /** When nothing happens, one is enough. */
  #settle(): void {
    this.#stopSettling();
    for (const driver of this.#waiting.splice(0, this.#waiting.length - 1)) driver.disconnect();
    if (this.#waiting.length === 0) this.#waiting.push(this.#fork());
  }

  #fork(): ChildProcess {
    const driver = fork(fileURLToPath(new URL("./driver-entry.js", import.meta.url)), [], {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: ["--enable-source-maps"],
    });
    driver.once("exit", () => {
      this.#waiting = this.#waiting.filter((other) => other !== driver);
    });
    // While it waits nobody else listens, and an error that nobody hears would end the head.
    return driver.on("error", () => {});
  }
}

/** What the head hears of a driver: last of all that it is gone, because its process has ended or has nothing to do with it any more. */
export type FromDriverProcess =
  | Exclude<FromDriver, { readonly kind: "idle" }>
  | { readonly kind: "gone"; readonly error: QStreamError };

/** The process of a driver, as the head sees it. */
export class DriverProcess implements DriverHandle {
  readonly number: number;
  /** Undefined once the process has ended, or drives another execution. */
  #child: ChildProcess | undefined;
  readonly #gone: Promise<void>;

  /** @param free - is given the process where its execution is done, and it can take another */
  constructor(
    child: ChildProcess,
    start: DriverStart,
    told: (message: FromDriverProcess) => void,
    free: (child: ChildProcess) => void = (idle) => idle.disconnect(),
  ) {
    this.number = start.driver;
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#child = undefined;
        child.off("message", heard).off("error", failed).off("exit", exited);
        const error = new QStreamError("EXECUTION_FAILED", `the driver of the execution ${how}`, {
          advice: "What it wrote last, on the machine of the head, may say why",
        });
        told({ kind: "gone", error });
        resolve();
      };
      const exited = (code: number | null, signal: NodeJS.Signals | null): void =>
        end(signal === null ? `ended with ${code}` : `was ended by ${signal}`);
      const failed = (error: Error): void => told({ kind: "failed", error: errorToData(error) });
      const heard = (message: FromDriver): void => {
        if (message.kind !== "idle") {
          told(message);
          return;
        }
        end("has another execution");
        free(child);
      };
      child.on("message", heard).on("error", failed).on("exit", exited);
    });
    this.tell(start);
  }

  tell(message: ToDriver): void {
    // One that has just ended says so by its exit.
    if (this.#child?.connected === true) this.#child.send(message, () => {});
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#gone;
  }
}
