import type { Context } from "../../../lib/core/contracts/context.ts";
import type { Delivery } from "../../../lib/core/contracts/delivery.ts";
import type { SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { askFor, type AskingParts } from "./asking-channel.ts";
import { HeldTasks, type HeldTask } from "../held-tasks.ts";
import { rowsIn } from "../rows-in.ts";
import { AskWindow } from "./ask-window.ts";
import { batchesOf } from "./messages-of.ts";

/** What a task wrote, until it is delivered. */
interface NumberedTask extends HeldTask {
  /** Number of the first of its objects. */
  readonly first: number;
  readonly objects: readonly unknown[];
}

interface NumberedObject {
  readonly object: unknown;
  readonly number: number;
}

const batchesDefault = 1000;

/**
 * Delivers objects with numbers. A task is delivered once the log has it: from then on it is the same objects that have its numbers,
 * whatever is lost. What is of one key is asked one message after the other, so that numbers come in their order.
 */
export class DeliveringChannel implements SinkChannel<unknown> {
  readonly #parts: AskingParts;
  readonly #from: string;
  readonly #signal: AbortSignal;
  readonly #held: HeldTasks<NumberedTask>;
  #next = 0;

  constructor(parts: AskingParts, { execution, step, channel, signal }: Context) {
    this.#parts = parts;
    this.#from = `${execution}/${step}/${channel}`;
    this.#signal = signal;
    this.#held = new HeldTasks((task) => this.#deliver(task), signal);
  }

  async write(batchesOrObjects: readonly unknown[], { seq }: Context): Promise<void> {
    const objects = await rowsIn(batchesOrObjects);
    await this.#held.room();
    this.#held.hold({ seq, first: this.#next, objects });
    this.#next += objects.length;
  }

  committed(seq: number): Promise<void> {
    return this.#held.committed(seq);
  }

  async done(): Promise<number> {
    await this.#held.delivered();
    return this.#next;
  }

  /** Where it is when all that came before was delivered. */
  snapshot(): Promise<number> {
    return this.done();
  }

  restore(next: number): void {
    this.#next = next;
  }

  async #deliver(task: NumberedTask): Promise<void> {
    const { to, inFlight } = this.#parts;
    const window = new AskWindow(inFlight, this.#signal);
    try {
      for (const [key, deliveries] of this.#deliveriesOf(task)) {
        // oxlint-disable-next-line no-await-in-loop -- the window is what limits them
        if (window.isFull) await window.room();
        window.add(this.#ask(to(key), deliveries, window.signal));
      }
      await window.emptied();
    } finally {
      window.close();
    }
  }

  async #ask(
    to: ReturnType<AskingParts["to"]>,
    deliveries: readonly Delivery<unknown>[],
    signal: AbortSignal,
  ): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const delivery of deliveries) await askFor(this.#parts, to, delivery, signal);
  }

  #deliveriesOf({ objects, first }: NumberedTask): Map<string, Delivery<unknown>[]> {
    const { keyOf, batches = batchesDefault } = this.#parts;
    const numbered = objects.map((object, index): NumberedObject => ({ object, number: first + index }));
    const keyOfNumbered = keyOf === undefined ? undefined : ({ object }: NumberedObject): string => keyOf(object);
    const groups = new Map<string, Delivery<unknown>[]>();
    for (const { key, objects: some } of batchesOf(numbered, batches, keyOfNumbered)) {
      const delivery = {
        from: this.#from,
        objects: some.map(({ object }) => object),
        numbers: some.map(({ number }) => number),
      };
      const deliveries = groups.get(key);
      if (deliveries === undefined) groups.set(key, [delivery]);
      else deliveries.push(delivery);
    }
    return groups;
  }
}
