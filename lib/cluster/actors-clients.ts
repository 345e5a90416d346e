import type { FromActorsClient, ToActorsClient } from "../../actors/slot/relayed-actors.ts";
import { errorFromData, QStreamError, type ErrorData } from "../core/errors.ts";
import type { Clock } from "../core/seam/clock.ts";
import type { Client, KnownExecution } from "./known-execution.ts";

interface Asked {
  readonly answered: (answer: string) => void;
  readonly failed: (error: Error) => void;
}

const viewMs = 30_000;
const viewsMax = 1000;

/** Who started systems of actors on this head: its connection leads to the node of the client, which others reach by the driver. */
export class ActorsClients {
  readonly #clock: Clock;
  readonly #clients = new Map<string, { readonly known: KnownExecution; readonly client: Client }>();
  readonly #views = new Map<number, Asked>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An execution was submitted: it may be a system of actors. */
  started(known: KnownExecution, client: Client): void {
    this.#clients.set(known.execution, { known, client });
  }

  /** Its client tells its driver something. */
  fromClient(execution: string, client: Client, content: FromActorsClient): void {
    const found = this.#clients.get(execution);
    if (found?.client === client) found.known.driver?.tell({ kind: "actors", content });
  }

  fromDriver(execution: string, content: ToActorsClient): void {
    this.#clients.get(execution)?.client.tell({ kind: "actors", execution, content });
  }

  /**
   * Asks who started a system what somebody who looks at it wants to know.
   *
   * @param request - as JSON, and so is the answer
   * @throws QStreamError EXECUTION_UNKNOWN
   */
  view(execution: string, request: string): Promise<string> {
    const client = this.#clients.get(execution)?.client;
    if (client === undefined || client.isOver || this.#views.size >= viewsMax) {
      throw new QStreamError("EXECUTION_UNKNOWN", `no client of a system of actors ${execution} is there`, {
        advice: "qstream ps lists what runs; the program that started a system has to be there",
      });
    }
    const view = ++this.#count;
    return new Promise<string>((answered, failed) => {
      const cancel = this.#clock.after(viewMs, () => {
        this.#views.delete(view);
        failed(new QStreamError("ASK_TIMEOUT", `who started ${execution} didn't answer within ${viewMs} ms`));
      });
      const after =
        <T>(settle: (value: T) => void): ((value: T) => void) =>
        (value) => {
          cancel();
          this.#views.delete(view);
          settle(value);
        };
      this.#views.set(view, { answered: after(answered), failed: after(failed) });
      client.tell({ kind: "view", execution, view, request });
    });
  }

  viewed(view: number, answer: string | undefined, error: ErrorData | undefined): void {
    const asked = this.#views.get(view);
    if (error === undefined) asked?.answered(answer ?? "null");
    else asked?.failed(errorFromData(error));
  }

  over(execution: string): void {
    this.#clients.delete(execution);
  }

  /** Another head leads. */
  clear(): void {
    this.#clients.clear();
  }
}
