import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import type { Context } from "../../../lib/core/contracts/context.ts";
import type { SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { askPatiently } from "../../../lib/core/patient-ask.ts";
import { AskWindow } from "./ask-window.ts";
import { messagesOf } from "./messages-of.ts";
import { notTaken } from "./not-taken.ts";
import { rowsIn } from "../rows-in.ts";

/** Whom a channel asks, and how. */
export interface AskingParts {
  readonly name: string;
  readonly batches: number | undefined;
  readonly inFlight: number;
  readonly timeoutMs: number;
  /** Who gets what is of a key. */
  readonly to: (key: string) => AnyReference;
  /** Without it, all is of one key. */
  readonly keyOf: ((object: unknown) => string) | undefined;
}

/** Asks one message. */
export function askFor(
  { name, timeoutMs }: AskingParts,
  to: AnyReference,
  payload: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  return askPatiently(to, { name, payload, timeoutMs, signal }).catch((error: unknown) => {
    throw notTaken(error, to, name, payload);
  });
}

/** Asks for each message of a task, so many at once, and is done with the task when all are answered. */
export class AskingChannel implements SinkChannel<unknown> {
  readonly #parts: AskingParts;
  #objects = 0;

  constructor(parts: AskingParts) {
    this.#parts = parts;
  }

  async write(batchesOrObjects: readonly unknown[], { signal }: Context): Promise<void> {
    const objects = await rowsIn(batchesOrObjects);
    const { batches, keyOf, inFlight, to } = this.#parts;
    const window = new AskWindow(inFlight, signal);
    try {
      for (const { key, payload } of messagesOf(objects, batches, keyOf)) {
        // oxlint-disable-next-line no-await-in-loop -- the window is what limits them
        if (window.isFull) await window.room();
        window.add(askFor(this.#parts, to(key), payload, window.signal));
      }
      await window.emptied();
    } finally {
      window.close();
    }
    this.#objects += objects.length;
  }

  done(): number {
    return this.#objects;
  }

  snapshot(): number {
    return this.#objects;
  }

  restore(objects: number): void {
    this.#objects = objects;
  }
}
