import type { ExecutionEvent, ExecutionMetrics } from "../../actors/scheduler/execution-events.ts";

/** An execution that was started: one run of a flow. */
export interface Execution<Outs> {
  readonly id: string;
  /** The outputs by name, once the execution has succeeded; rejects when it failed. */
  readonly outputs: Promise<Outs>;
  /** What happens, from the beginning on: placement, progress, the end. Ends with the execution; never throws. */
  events: () => AsyncIterable<ExecutionEvent>;
  /** The measures of now, or of the end. */
  readonly metrics: ExecutionMetrics | undefined;
  /** Stops the execution; `outputs` rejects with ABORTED. */
  cancel: (reason?: string) => void;
}

/** Keeps the events of an execution for whoever asks, late or early. */
export class EventLog {
  readonly #events: ExecutionEvent[] = [];
  #wake: (() => void)[] = [];
  #ended = false;
  #measured: { readonly metrics: ExecutionMetrics } | undefined;

  /** The measures of the latest event that has any. */
  get metrics(): ExecutionMetrics | undefined {
    return this.#measured?.metrics;
  }

  add(event: ExecutionEvent): void {
    if ("metrics" in event) this.#measured = event;
    // Of progress, only the latest is kept for those who come late: a long run would fill memory with history.
    const last = this.#events.at(-1);
    if (event.kind === "progress" && last?.kind === "progress") this.#events[this.#events.length - 1] = event;
    else this.#events.push(event);
    this.#ended = event.kind === "done" || event.kind === "failed";
    for (const wake of this.#wake.splice(0)) wake();
  }

  end(): void {
    this.#ended = true;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async *read(): AsyncGenerator<ExecutionEvent, void> {
    let at = 0;
    let seen: ExecutionEvent | undefined;
    for (;;) {
      // The latest progress may have been replaced by a newer one at the same place.
      if (at > 0 && this.#events[at - 1] !== seen) at--;
      while (at < this.#events.length) {
        seen = this.#events[at++];
        if (seen !== undefined) yield seen;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}
