import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import fc from "fast-check";
import { delay } from "../../../../lib/core/seam/clock.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("virtual clock");

const clockOf = (seed = 1, graceMs = 20): VirtualClock =>
  new VirtualClock({ random: seededRandom(seed), startAt: 1_000_000, graceMs });

test("events happen in the order of their times, whatever the order in which they were set and cancelled", async () => {
  const timers = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 50 }), cancelled: fc.boolean() }), {
    maxLength: 200,
  });
  await fc.assert(
    fc.asyncProperty(timers, fc.integer(), async (set, seed) => {
      const clock = clockOf(seed);
      const seen: number[] = [];
      const cancels = set.map(({ ms }, index) =>
        clock.after(ms, () => {
          assert.is(clock.monotonic(), ms);
          seen.push(index);
        }),
      );
      set.forEach(({ cancelled }, index) => cancelled && cancels[index]?.());
      assert.is(clock.pending, set.filter(({ cancelled }) => !cancelled).length);
      assert.is(await clock.run(), "idle");
      const times = seen.map((index) => set[index]?.ms ?? -1);
      assert.equal(
        times,
        times.toSorted((left, right) => left - right),
      );
      assert.equal(
        seen.toSorted((left, right) => left - right),
        set.flatMap(({ cancelled }, index) => (cancelled ? [] : [index])),
      );
    }),
    { numRuns: 60 },
  );
});

test("thousands of cancelled timers leave the order of the others as it was", async () => {
  const clock = clockOf();
  const seen: number[] = [];
  for (let ms = 0; ms < 5000; ms++) {
    const cancel = clock.after(5000 - ms, () => seen.push(5000 - ms));
    if (ms % 7 !== 0) cancel();
  }
  await clock.run();
  assert.is(seen.length, 715);
  assert.equal(
    seen,
    seen.toSorted((left, right) => left - right),
  );
});

test("events of one time happen in an order that the seed decides", async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const clock = clockOf(seed);
    let seen = "";
    for (const name of "abcdefgh") clock.soon(() => (seen += name));
    await clock.run();
    return seen;
  };
  assert.is(await orderOf(5), await orderOf(5));
  const orders = new Set<string>();
  for (let seed = 0; seed < 10; seed++) orders.add(await orderOf(seed));
  assert.ok(orders.size > 5);
});

test("microtasks finish before the next event, however long their chain", async () => {
  const clock = clockOf();
  const seen: string[] = [];
  const chain = async (name: string): Promise<void> => {
    for (let link = 0; link < 100; link++) await Promise.resolve();
    seen.push(`${name} ${clock.monotonic()}`);
  };
  clock.after(1, () => void chain("first"));
  clock.after(1.5, () => seen.push("between"));
  clock.after(2, () => void chain("second"));
  await clock.run();
  assert.equal(seen, ["first 1", "between", "second 2"]);
});

test("asynchronous code that waits on the clock goes on in its order", async () => {
  const clock = clockOf();
  const seen: string[] = [];
  const worker = async (name: string, everyMs: number): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await delay(clock, everyMs);
      seen.push(`${name}${clock.monotonic()}`);
    }
  };
  const done = Promise.all([worker("a", 10), worker("b", 7)]);
  assert.is(await clock.run({ settled: done }), "settled");
  assert.equal(seen, ["b7", "a10", "b14", "a20", "b21", "a30"]);
});

test("a run until a time stops there, and the next one goes on", async () => {
  const clock = clockOf();
  const seen: number[] = [];
  for (const ms of [5, 10, 15]) clock.after(ms, () => seen.push(ms));
  assert.is(await clock.run({ ms: 10 }), "time");
  assert.equal(seen, [5, 10]);
  assert.is(await clock.run({ ms: 12 }), "time");
  assert.is(clock.monotonic(), 12);
  assert.is(await clock.run({ ms: 40 }), "time");
  assert.is(clock.monotonic(), 40);
  assert.equal(seen, [5, 10, 15]);
});

test("the wall clock jumps, and timers don't notice", async () => {
  const clock = clockOf();
  assert.is(clock.now(), 1_000_000);
  const seen: number[] = [];
  clock.after(10, () => seen.push(clock.now()));
  clock.jump(-5000);
  await clock.run();
  assert.equal(seen, [995_010]);
  assert.is(clock.monotonic(), 10);
});

test("promises that nothing can settle are reported", async () => {
  const clock = clockOf();
  clock.after(3, () => {});
  const error = await clock.run({ settled: new Promise(() => {}) }).catch((caught: unknown) => caught);
  assert.match(String(error), "nothing is left to do at 3 ms");
});

test("events that follow each other without time passing are reported", async () => {
  const clock = new VirtualClock({ random: seededRandom(1), eventsAtOnceMax: 100 });
  const again = (): void => clock.soon(again);
  again();
  const error = await clock.run().catch((caught: unknown) => caught);
  assert.match(String(error), "no time passes");
});

test("an event that throws ends the run, and another run goes on", async () => {
  const clock = clockOf();
  const seen: string[] = [];
  clock.after(1, () => {
    throw new Error("boom");
  });
  clock.after(2, () => seen.push("after"));
  const error = await clock.run().catch((caught: unknown) => caught);
  assert.match(String(error), "boom");
  assert.is(await clock.run(), "idle");
  assert.equal(seen, ["after"]);
});

test("while something real is done, time stands still, and what is begun first ends first", async () => {
  const clock = clockOf(1, 1000);
  const seen: string[] = [];
  const real = async (name: string, ms: number): Promise<void> => {
    await clock.real(() => wait(ms));
    seen.push(`${name} at ${clock.monotonic()}`);
  };
  clock.after(1, () => {
    void real("slow", 20);
    void real("quick", 1);
  });
  clock.after(2, () => seen.push("next"));
  await clock.run();
  assert.equal(seen, ["slow at 1", "quick at 1", "next"]);
});

test("at least 200,000 events happen in a second", async () => {
  const clock = clockOf();
  let left = 100_000;
  const next = (): void => {
    if (left-- > 0) clock.after(left % 7, next);
  };
  for (let chain = 0; chain < 50; chain++) next();
  const startedAt = performance.now();
  await clock.run();
  const perSecond = (clock.events / (performance.now() - startedAt)) * 1000;
  // The bar with room for a machine that does other things as well.
  assert.ok(perSecond > 100_000, `${Math.round(perSecond)} events a second`);
  if (process.env["QSTREAM_MEASURE"] !== undefined) console.log(`${Math.round(perSecond)} events a second`);
});

test.run();
