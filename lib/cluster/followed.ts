import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { QStreamError } from "../core/errors.ts";
import { EventListener } from "../flow/event-listener.ts";
import { EventLog, type Execution } from "../flow/execution.ts";
import type { ListedExecution, ListedMachine } from "./protocol.ts";

/** How an execution of a cluster is followed. */
export interface FollowOptions {
  /** Called for everything that happens, and at first for what has happened so far. What it throws cancels the execution. */
  readonly onEvent?: (event: ExecutionEvent) => void;
}

/** What a cluster has at the moment. */
export interface ClusterListing {
  readonly machines: readonly ListedMachine[];
  readonly executions: readonly ListedExecution[];
  /** Connections and requests that the head hasn't let in since it began. */
  readonly refusedConnections: number;
}

export interface FollowedParts {
  /** What it is called, as far as that is known. */
  readonly name: string;
  readonly onEvent: ((event: ExecutionEvent) => void) | undefined;
  /** It was submitted here, and ends with the session. */
  readonly own: boolean;
  readonly cancel: (reason: string | undefined) => void;
}

/** An execution, as its client sees it. */
export class Followed {
  readonly log = new EventLog();
  readonly listener: EventListener;
  readonly own: boolean;
  readonly outputs: Promise<Record<string, unknown>>;
  /** Fulfilled once its driver has said what it is called, with the channels that it goes on with. */
  readonly named: Promise<void>;
  readonly #cancel: FollowedParts["cancel"];
  #name: string;
  #resolve: (outputs: Record<string, unknown>) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #hasName = (): void => {};

  constructor({ name, onEvent, own, cancel }: FollowedParts) {
    this.#name = name;
    this.own = own;
    this.#cancel = cancel;
    this.listener = new EventListener(onEvent, (error) => cancel(error.message));
    this.outputs = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.outputs.catch(() => {});
    this.named = new Promise((resolve) => (this.#hasName = resolve));
  }

  goesOnAs(name: string): void {
    this.#name = name;
    this.#hasName();
  }

  resolve(outputs: Record<string, unknown>): void {
    this.#resolve(outputs);
  }

  reject(error: unknown): void {
    this.#reject(error);
  }

  /** What users have of it. */
  get execution(): Execution<Record<string, unknown>> {
    const { log, outputs } = this;
    const name = (): string => this.#name;
    const cancel = this.#cancel;
    return {
      get id() {
        return name();
      },
      outputs,
      events: () => log.read(),
      get metrics() {
        return log.metrics;
      },
      cancel: (reason) => cancel(reason),
    };
  }
}

export function sessionClosed(): QStreamError {
  return new QStreamError("SESSION_CLOSED", "the session is closed", { advice: "Open another one" });
}
