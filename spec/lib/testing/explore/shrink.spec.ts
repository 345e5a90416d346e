import fc from "fast-check";
import * as assert from "uvu/assert";
import { EventHeap } from "../../../../lib/testing/explore/event-heap.ts";
import { minimize } from "../../../../lib/testing/explore/minimize.ts";
import { numberList, numbersOf } from "../../../../lib/testing/explore/number-list.ts";
import { findViolation } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { gotOf, sending, sink, source } from "./sending.ts";

const test = suite("shrinking explorations");

test("what is left of a list can't be missed", async () => {
  const needed = fc.uniqueArray(fc.nat(40), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(needed, async (wanted) => {
      const all = Array.from({ length: 41 }, (_, index) => index);
      let tries = 0;
      const kept = await minimize(all, (some) => {
        tries++;
        return Promise.resolve(wanted.every((each) => some.includes(each)));
      });
      assert.equal(
        kept,
        [...wanted].sort((one, other) => one - other),
      );
      assert.ok(tries < 300, `${tries} tries`);
    }),
    { numRuns: 50, seed: 1 },
  );
});

test("faults that a violation doesn't take are left out", async () => {
  const exploration = sending(
    { delayMs: [1, 9], loss: 0.5, duplicate: 0.2, partitions: {}, withinMs: 100 },
    { atEnd: { "at most one is lost": ({ to }, world) => new Set(gotOf(world, to)).size >= 29 } },
  );
  const { violation } = await findViolation(exploration, { seeds: 20 });
  assert.ok(violation !== undefined);
  assert.ok((violation?.faults.length ?? 0) <= 2, violation?.faults.join(","));
});

test("messages are numbered without what nodes tell each other besides", async () => {
  const watching = sending(
    { delayMs: [1, 9], loss: 0.05 },
    {
      start(world) {
        const to = world.spawn(sink, undefined, { name: "to" });
        const from = world.spawn(source, undefined, { name: "from" });
        for (let count = 0; count < 5; count++) from.tell("watch", world.spawn(sink));
        from.tell("send", { to, count: 30 });
        return { from, to };
      },
      atEnd: { all: ({ to }, world) => gotOf(world, to).length === 30 },
    },
  );
  const { violation } = await findViolation(watching, { seeds: 20 });
  const lost = violation?.trace.steps.flatMap((step) => step.lost ?? []).map(({ text }) => text) ?? [];
  assert.equal(
    lost,
    violation?.faults.map((id) => `put ${Number(id.slice(1)) - 1}`),
  );
  assert.is(lost.length, 1);
});

test("numbers are written with ranges, and read again", () => {
  assert.is(numberList([9, 1, 2, 3, 3, 7]), "1-3,7,9");
  assert.is(numberList([]), "none");
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), (numbers) => {
      const read = numbersOf(numberList(numbers));
      assert.equal(read, new Set(numbers));
    }),
    { seed: 1 },
  );
  for (const wrong of ["", "a", "3-1", "1,,2", "1-99999999"]) assert.is(numbersOf(wrong), undefined, wrong);
});

test("events come in the order of their times, whichever are cancelled", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(1000), cancelled: fc.boolean() }), { maxLength: 800 }), (events) => {
      const cancelled = new Set<object>();
      const heap = new EventHeap<{ at: number }>((event) => cancelled.has(event));
      for (const event of events) heap.add(event.at, event);
      for (const event of events) {
        if (!event.cancelled) continue;
        cancelled.add(event);
        heap.cancelled();
      }
      const taken: number[] = [];
      for (let at = heap.nextAt, event = heap.take(); event !== undefined; at = heap.nextAt, event = heap.take()) {
        assert.is(at, event.at);
        if (!cancelled.has(event)) taken.push(event.at);
      }
      const wanted = events.filter((event) => !event.cancelled).map(({ at }) => at);
      assert.equal(
        taken,
        wanted.sort((one, other) => one - other),
      );
    }),
    { seed: 1 },
  );
});

test.run();
