import * as assert from "uvu/assert";
import { StoreWatch } from "../../../actors/cluster/store-watch.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("watch over a store");

/** A clock that goes on when it is told to. */
class Hours {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly clock = {
    monotonic: () => this.#now,
    after: (ms: number, callback: () => void) => {
      const timer = { at: this.#now + ms, callback };
      this.#timers.push(timer);
      return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
    },
  } as unknown as Clock;

  get timers(): number {
    return this.#timers.length;
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = next.at;
      this.#timers = this.#timers.filter((other) => other !== next);
      next.callback();
      // oxlint-disable-next-line no-await-in-loop -- what it asked is answered
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = until;
  }
}

const away = (): Promise<never> => Promise.reject(new QStreamError("STORE_UNAVAILABLE", "it is away"));
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "",
    (error: unknown) => (error instanceof QStreamError ? error.code : String(error)),
  );

test("a store that gives no answer for a lease is out of reach, said now and then, until it answers", async () => {
  const hours = new Hours();
  const told: boolean[] = [];
  let isAway = true;
  const ask = async (): Promise<unknown> => (isAway ? away() : undefined);
  const watch = new StoreWatch({ clock: hours.clock, leaseMs: 1000, ask, told: (word) => void told.push(word) });
  await watch.call(async () => 1);
  await hours.pass(2000);
  assert.equal(told, []);
  assert.is(hours.timers, 0);
  assert.is(await codeOf(watch.call(away)), "STORE_UNAVAILABLE");
  await hours.pass(500);
  assert.is(await codeOf(watch.call(away)), "STORE_UNAVAILABLE");
  await hours.pass(400);
  assert.equal(told, []);
  await hours.pass(100);
  assert.equal(told, [true]);
  await hours.pass(1000);
  assert.equal(told, [true, true, true]);
  // Nobody but the watch itself asks any more.
  isAway = false;
  await hours.pass(500);
  assert.equal(told, [true, true, true, true, false]);
  await hours.pass(5000);
  assert.is(told.length, 5);
  assert.is(hours.timers, 0);
});

test("one that refuses, and one that answers between its failures, is there", async () => {
  const hours = new Hours();
  const told: boolean[] = [];
  const watch = new StoreWatch({
    clock: hours.clock,
    leaseMs: 1000,
    ask: async () => undefined,
    told: (word) => void told.push(word),
  });
  const refused = (): Promise<never> => Promise.reject(new QStreamError("STORE_REFUSED", "no memory"));
  for (let turn = 0; turn < 5; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.is(await codeOf(watch.call(refused)), "STORE_REFUSED");
    // oxlint-disable-next-line no-await-in-loop -- see above
    await hours.pass(600);
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is(await codeOf(watch.call(away)), "STORE_UNAVAILABLE");
    // oxlint-disable-next-line no-await-in-loop -- see above
    await hours.pass(300);
  }
  assert.equal(told, []);
  watch.close();
  assert.is(hours.timers, 0);
});

test("a store is used through it as it is", async () => {
  const hours = new Hours();
  const watch = new StoreWatch({ clock: hours.clock, leaseMs: 1000, ask: async () => undefined, told: () => {} });
  const store = watch.over(new MemoryStore());
  await store.create("run-1", new Uint8Array([1]), 1, 0);
  assert.equal((await store.find("run-1"))?.description, new Uint8Array([1]));
  assert.is(store.kind, "memory");
  await store.close();
});

test.run();
