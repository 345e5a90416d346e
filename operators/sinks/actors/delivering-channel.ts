import type { Context } from "../../../lib/core/contracts/context.ts";
import type { Delivery } from "../../../lib/core/contracts/delivery.ts";
import type { SinkChannel } from "../../../lib/core/contracts/sink.ts";
import { askFor, type AskingParts } from "./asking-channel.ts";
import { AskWindow } from "./ask-window.ts";
import { rowsIn } from "./rows-in.ts";

/** What a task wrote, until it is delivered. */
interface HeldTask {
  readonly seq: number;
  /** Number of the first of its objects. */
  readonly first: number;
  readonly objects: readonly unknown[];
}

const tasksMost = 8;
const batchesDefault = 1000;

/**
 * Delivers objects with numbers. A task is delivered once the log has it: from then on it is the same objects that have its numbers,
 * whatever is lost. What is of one key is asked one message after the other, so that numbers come in their order.
 */
export class DeliveringChannel implements SinkChannel<unknown> {
  readonly #parts: AskingParts;
  readonly #from: string;
  readonly #signal: AbortSignal;
  /** Tasks that the log doesn't have yet. */
  readonly #held: HeldTask[] = [];
  #delivered: Promise<void> = Promise.resolve();
  /** Tasks that are held, or on their way. */
  #open = 0;
  #next = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: AskingParts, { execution, step, channel, signal }: Context) {
    this.#parts = parts;
    this.#from = `${execution}/${step}/${channel}`;
    this.#signal = signal;
  }

  async write(batchesOrObjects: readonly unknown[], { seq }: Context): Promise<void> {
    const objects = await rowsIn(batchesOrObjects);
    await this.#until(() => this.#open < tasksMost);
    this.#open++;
    this.#held.push({ seq, first: this.#next, objects });
    this.#next += objects.length;
  }

  committed(seq: number): Promise<void> {
    for (let task = this.#held[0]; task !== undefined && task.seq <= seq; task = this.#held[0]) {
      this.#held.shift();
      const sent = task;
      this.#delivered = this.#delivered.then(() => this.#deliver(sent));
    }
    return this.#delivered;
  }

  async done(): Promise<number> {
    await this.#until(() => this.#open === 0);
    return this.#next;
  }

  /** Where it is when all that came before was delivered. */
  snapshot(): Promise<number> {
    return this.done();
  }

  restore(next: number): void {
    this.#next = next;
  }

  async #deliver(task: HeldTask): Promise<void> {
    const { to, inFlight } = this.#parts;
    const window = new AskWindow(inFlight, this.#signal);
    try {
      for (const [key, deliveries] of this.#deliveriesOf(task)) {
        // oxlint-disable-next-line no-await-in-loop -- the window is what limits them
        if (window.isFull) await window.room();
        window.add(this.#ask(to(key), deliveries, window.signal));
      }
      await window.emptied();
      this.#open--;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    } finally {
      window.close();
      this.#wake?.();
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

  #deliveriesOf({ objects, first }: HeldTask): Map<string, Delivery<unknown>[]> {
    const { keyOf, batches = batchesDefault } = this.#parts;
    const from = this.#from;
    const groups = new Map<string, { from: string; objects: unknown[]; numbers: number[] }[]>();
    objects.forEach((object, index) => {
      const key = keyOf?.(object) ?? "";
      let deliveries = groups.get(key);
      if (deliveries === undefined) groups.set(key, (deliveries = []));
      let last = deliveries.at(-1);
      if (last === undefined || last.objects.length >= batches) {
        deliveries.push((last = { from, objects: [], numbers: [] }));
      }
      last.objects.push(object);
      last.numbers.push(first + index);
    });
    return groups;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (this.#failure === undefined && !holds()) {
      // oxlint-disable-next-line no-await-in-loop -- until it holds
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
