// A flow that writes to a store elsewhere, which is told of each task once the log has it.

import { defineFlow, numbers, type Context, type OutputSink, type SinkChannel } from "../../../../lib/index.ts";
import { HeldTasks } from "../../../../operators/sinks/held-tasks.ts";

/** What is in the store of one channel: each seq is written once, as Redis does it with a task's number. */
interface Written {
  mark: number;
  readonly values: number[];
}

const stores = new Map<string, Written>();
const storesMax = 10_000;

function storeOf(name: string): Written {
  let written = stores.get(name);
  if (written !== undefined) return written;
  if (stores.size >= storesMax) stores.clear();
  stores.set(name, (written = { mark: -1, values: [] }));
  return written;
}

/** A way to the store that takes a while, in which slots are lost: what was on its way then may come, and its answer not. */
async function onTheWay({ files }: Context): Promise<void> {
  await files.remove([]);
}

class StoreChannel implements SinkChannel<number> {
  readonly #ctx: Context;
  readonly #name: string;
  readonly #held: HeldTasks<{ readonly seq: number; readonly objects: readonly number[] }>;

  constructor(ctx: Context) {
    this.#ctx = ctx;
    this.#name = `${ctx.execution}/${ctx.step}/${ctx.channel}`;
    this.#held = new HeldTasks((task) => this.#deliver(task), ctx.signal);
  }

  async write(objects: readonly number[], { seq }: Context): Promise<void> {
    await this.#held.room();
    this.#held.hold({ seq, objects });
  }

  committed(seq: number): Promise<void> {
    return this.#held.committed(seq);
  }

  async done(): Promise<string> {
    await this.#held.delivered();
    return this.#name;
  }

  protected delivered(): Promise<void> {
    return this.#held.delivered();
  }

  async #deliver({ seq, objects }: { readonly seq: number; readonly objects: readonly number[] }): Promise<void> {
    await onTheWay(this.#ctx);
    const store = storeOf(this.#name);
    if (seq > store.mark) {
      store.mark = seq;
      store.values.push(...objects);
    }
    await onTheWay(this.#ctx);
  }
}

/** What is written is its state. */
class SavingStoreChannel extends StoreChannel {
  async snapshot(): Promise<null> {
    await this.delivered();
    return null;
  }

  restore(): void {}
}

/** @param saves - with a state; without one it is given all tasks again */
function toStore(saves: boolean): OutputSink<number, readonly number[]> {
  return {
    kind: "store",
    options: { saves },
    guarantee: "idempotent",
    placement: "per-slot",
    open: (ctx) => (saves ? new SavingStoreChannel(ctx) : new StoreChannel(ctx)),
    result: (parts) => parts.flatMap((name) => storeOf(name as string).values),
  };
}

/** Several producers for each channel of a sink: a life that follows another finds their parcels in another order. */
export const written = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo));
  return {
    once: all.to(toStore(true), { channels: 1 }),
    again: all.to(toStore(false), { channels: 1 }),
  };
});
