import { setImmediate as nextTurn } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { SlotHandle } from "../../../actors/scheduler/execution-request.ts";
import type { Order } from "../../../actors/slot/protocol.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { Session } from "../../../lib/flow/session.ts";
import { defineFlow, numbers } from "../../../lib/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("slots that are lost together");

const flow = defineFlow(import.meta.url, (q) => ({ numbers: q.read("numbers", numbers(0, 10)).collect() }));

/** A session whose slots do nothing, and are lost when a spec says so. */
class Bench {
  readonly ordered: string[] = [];
  readonly slots: SlotHandle[] = [this.#slot("a"), this.#slot("b")];
  readonly hooks: ConstructorParameters<typeof Session>[2] = { onReport: () => {}, onLost: () => {} };
  readonly session: Session;
  /** Says that a slot came in the place of one that was lost, or that none did. */
  readonly settled = new Map<string, () => void>();
  /** Why the execution has ended. */
  failed: unknown;

  constructor() {
    const launched = {
      slots: this.slots,
      client: this.#slot("client"),
      // As on a cluster: where others are left there is nothing to wait for.
      replace: (lost: string): Promise<void> => {
        if (this.session.slots.some((id) => id !== lost && !this.session.lostSlots.has(id))) return Promise.resolve();
        return new Promise((resolve) => this.settled.set(lost, resolve));
      },
      close: () => Promise.resolve(),
    };
    this.session = new Session({ isolation: "none" }, launched, this.hooks, { store: new MemoryStore() });
  }

  /** Starts an execution, and loses all slots at once. Gives the execution's name. */
  async losesAll(): Promise<string> {
    const { id, outputs } = await flow.start({}, { on: this.session });
    outputs.catch((error: unknown) => (this.failed = error));
    await settle();
    // Two machines may be silent for the same time: then nothing else happens between.
    for (const slot of ["a", "b"]) {
      this.hooks.onLost(slot, new QStreamError("SLOT_LOST", `machine ${slot} is lost`));
    }
    await settle();
    return id;
  }

  add(slot: string): void {
    this.slots.push(this.#slot(slot));
  }

  #slot(id: string): SlotHandle {
    const order = ({ kind }: Order): void => void this.ordered.push(`${id} ${kind}`);
    return { id, machine: id, tags: [], order, lose: () => {} };
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

test("what is said of the first doesn't end what waits for another one in the last one's place", async () => {
  const bench = new Bench();
  await bench.losesAll();
  assert.is(bench.failed, undefined);
  bench.add("c");
  bench.settled.get("b")?.();
  await settle();
  assert.is(bench.failed, undefined);
  assert.equal(bench.ordered.slice(3), ["client survey"], "what was lost is being made again");
});

test("where none comes, executions end with the last loss", async () => {
  const bench = new Bench();
  const id = await bench.losesAll();
  bench.settled.get("b")?.();
  await settle();
  // The slots of this spec don't say that they have stopped.
  assert.ok(bench.ordered.includes("client stop"), bench.ordered.join());
  bench.hooks.onReport({ kind: "stopped", execution: id, slot: "client" });
  await settle();
  assert.match(String(bench.failed), "machine b is lost");
});

test.run();
