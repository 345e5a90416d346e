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

interface KeptEvent {
  readonly number: number;
  readonly event: ExecutionEvent;
}

/** Losses, failures and recoveries that are kept. */
const eventsMax = 1000;

/**
 * Keeps the events of an execution for whoever asks, late or early: of progress the latest, of what goes wrong and is mended the
 * latest thousand. A long run would fill memory with history.
 */
export class EventLog {
  #events: KeptEvent[] = [];
  #last = 0;
  #wake: (() => void)[] = [];
  #ended = false;
  #measured: { readonly metrics: ExecutionMetrics } | undefined;

  /** The measures of the latest event that has any. */
  get metrics(): ExecutionMetrics | undefined {
    return this.#measured?.metrics;
  }

  add(event: ExecutionEvent): void {
    if ("metrics" in event) this.#measured = event;
    this.#forgetFor(event);
    this.#events.push({ number: ++this.#last, event });
    this.#ended = event.kind === "done" || event.kind === "failed";
    for (const wake of this.#wake.splice(0)) wake();
  }

  end(): void {
    this.#ended = true;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async *read(): AsyncGenerator<ExecutionEvent, void> {
    let seen = 0;
    for (;;) {
      for (let next = this.#after(seen); next !== undefined; next = this.#after(seen)) {
        seen = next.number;
        yield next.event;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #after(number: number): KeptEvent | undefined {
    // Who listens all the time wants the last one.
    const last = this.#events.at(-2);
    if (last !== undefined && last.number <= number) return this.#last > number ? this.#events.at(-1) : undefined;
    return this.#events.find((kept) => kept.number > number);
  }

  #forgetFor({ kind }: ExecutionEvent): void {
    if (kind === "progress") {
      const older = this.#events.findLastIndex(({ event }) => event.kind === "progress");
      if (older >= 0) this.#events.splice(older, 1);
    } else if (this.#events.length >= eventsMax) {
      const oldest = this.#events.findIndex(({ event }) => isMended(event));
      if (oldest >= 0) this.#events.splice(oldest, 1);
    }
  }
}

function isMended({ kind }: ExecutionEvent): boolean {
  return (
    kind === "slot-lost" ||
    kind === "task-failed" ||
    kind === "task-slow" ||
    kind === "recovered" ||
    kind === "rebalanced"
  );
}
