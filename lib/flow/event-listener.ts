import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { QStreamError } from "../core/errors.ts";

/** A user's `onEvent`, whose errors fail the execution that it listens to. */
export class EventListener {
  readonly #onEvent: ((event: ExecutionEvent) => unknown) | undefined;
  readonly #failed: (error: QStreamError) => void;
  #error: QStreamError | undefined;
  #ended = false;

  constructor(onEvent: ((event: ExecutionEvent) => unknown) | undefined, failed: (error: QStreamError) => void) {
    this.#onEvent = onEvent;
    this.#failed = failed;
  }

  call(event: ExecutionEvent): void {
    try {
      const answer = this.#onEvent?.(event);
      if (!(answer instanceof Promise)) return;
      answer.catch((error: unknown) => {
        // With the execution over nobody would hear of it: then it is Node's to report, as a rejection that nobody handles.
        if (this.#ended) throw error;
        this.#fail(error);
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Called with the results at hand: the last chance to fail. */
  end(): void {
    this.#ended = true;
    if (this.#error !== undefined) throw this.#error;
  }

  #fail(cause: unknown): void {
    if (this.#error !== undefined) return;
    const what = cause instanceof Error ? cause.message : String(cause);
    this.#error = new QStreamError("STEP_FAILED", `onEvent threw: ${what}`, {
      cause,
      advice: "onEvent is called for every event of the execution, which fails with it",
    });
    this.#failed(this.#error);
  }
}
