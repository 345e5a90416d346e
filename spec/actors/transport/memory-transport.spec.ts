import * as assert from "uvu/assert";
import { MemoryNetwork } from "../../../actors/transport/memory-transport.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { parcelOf, transportContract } from "../../contract/transport.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("memory transport");

transportContract(test, (slots) => {
  const network = new MemoryNetwork();
  return { ends: slots.map((slot) => network.transport(slot)) };
});

const shuffled = suite("memory transport by chance");

transportContract(shuffled, (slots) => {
  const network = new MemoryNetwork({ random: seededRandom(7), schedule: queueMicrotask });
  return { ends: slots.map((slot) => network.transport(slot)) };
});

/** Who delivered to `c`, in order, when `a` and `b` sent ten messages each. */
function interleaving(seed: number | undefined): string {
  const turns: (() => void)[] = [];
  const schedule = (callback: () => void): void => void turns.push(callback);
  const network = new MemoryNetwork(seed === undefined ? { schedule } : { schedule, random: seededRandom(seed) });
  let order = "";
  let lastOfA = -1;
  network.transport("c").receive((message, from) => {
    order += from;
    if (from !== "a" || message.kind !== "parcel") return;
    assert.is(message.seq, lastOfA + 1);
    lastOfA = message.seq;
  });
  for (let seq = 0; seq < 10; seq++) network.transport("a").send("c", parcelOf(seq, 1));
  for (let seq = 0; seq < 10; seq++) network.transport("b").send("c", parcelOf(seq, 1));
  for (const next of turns) next();
  return order;
}

test("without chance, messages arrive as they were sent", () => {
  assert.is(interleaving(undefined), "aaaaaaaaaabbbbbbbbbb");
});

test("a seed decides between pairs, the same each time, and leaves the order within a pair", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const order = interleaving(seed);
    assert.is(order.length, 20);
    assert.is(interleaving(seed), order);
    seen.add(order);
  }
  assert.ok(seen.size > 10);
});

test("payload buffers are handed over as they are", async () => {
  const network = new MemoryNetwork();
  const parcel = parcelOf(1, 64);
  const received = new Promise((resolve) => network.transport("b").receive(resolve));
  network.transport("a").send("b", parcel);
  assert.is(await received, parcel);
});

test("an end that opens again doesn't get what was sent to the one before", async () => {
  const turns: (() => void)[] = [];
  const network = new MemoryNetwork({ schedule: (callback) => void turns.push(callback) });
  const first = network.transport("b");
  network.transport("a").send("b", parcelOf(0, 1));
  await first.close();
  const second = network.transport("b");
  assert.is.not(second, first);
  const seqs: number[] = [];
  second.receive((message) => void seqs.push(message.kind === "parcel" ? message.seq : -1));
  network.transport("a").send("b", parcelOf(1, 1));
  for (const next of turns) next();
  assert.equal(seqs, [1]);
});

test.run();
shuffled.run();
