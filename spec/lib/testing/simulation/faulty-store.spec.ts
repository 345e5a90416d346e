import * as assert from "uvu/assert";
import { MemoryStore } from "../../../../actors/stores/memory-store.ts";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { delay } from "../../../../lib/core/seam/clock.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { FaultyStore } from "../../../../lib/testing/simulation/faulty-store.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("faulty store");

interface Setup {
  readonly clock: VirtualClock;
  readonly store: FaultyStore;
  readonly calls: string[];
  /** Lets time pass until a promise settles. */
  readonly during: <T>(work: Promise<T>) => Promise<T>;
}

async function setUp(seed = 1): Promise<Setup> {
  const random = seededRandom(seed);
  const clock = new VirtualClock({ random, graceMs: 50 });
  const calls: string[] = [];
  const onCall = (name: string, moment: string): void => void calls.push(`${name} ${moment}`);
  const store = new FaultyStore({ clock, random, make: () => new MemoryStore(), timeoutMs: 50, onCall });
  const during = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {});
    await clock.run({ settled: work });
    return work;
  };
  await during(store.create("run", new Uint8Array(1), 2, 0));
  calls.length = 0;
  return { clock, store, calls, during };
}

function commit(store: FaultyStore, seq: number, channel = 0): Promise<readonly string[]> {
  return store.commit("run", [{ channel, generation: 0, firstSeq: seq, records: [Uint8Array.of(seq)] }]);
}

async function seqsIn({ store, during }: Setup, channel = 0): Promise<number[]> {
  return (await during(store.read("run", channel, -1, 100))).map(({ seq }) => seq);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => (error instanceof QStreamError ? error.code : String(error)),
  );
}

test("calls take virtual time, are done in their order, and are told of", async () => {
  const world = await setUp();
  const { clock, store, during, calls } = world;
  const before = clock.monotonic();
  const answers = await during(Promise.all([0, 1, 2, 3].map((seq) => commit(store, seq))));
  assert.equal(answers, [["committed"], ["committed"], ["committed"], ["committed"]]);
  assert.ok(clock.monotonic() > before);
  assert.is(calls.filter((call) => call === "commit begun").length, 4);
  assert.is(calls.filter((call) => call === "commit answered").length, 4);
  assert.equal(await seqsIn(world), [0, 1, 2, 3]);
});

test("what is written is copied when the call is made", async () => {
  const { store, during } = await setUp();
  const record = Uint8Array.of(1);
  const writing = store.commit("run", [{ channel: 0, generation: 0, firstSeq: 0, records: [record] }]);
  record.fill(9);
  await during(writing);
  const [read] = await during(store.read("run", 0, -1, 10));
  assert.equal([...(read?.record ?? [])], [1]);
});

test("a call that times out was done, wasn't, or is done later; repeating it makes it so", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const world = await setUp(seed);
    const { store, during, clock } = world;
    store.timeOut(1);
    assert.is(await codeOf(during(commit(store, 0))), "STORE_UNAVAILABLE");
    const atOnce = (await seqsIn(world)).length;
    await clock.run();
    const later = (await seqsIn(world)).length;
    outcomes.add(`${atOnce} ${later}`);
    assert.equal(await during(commit(store, 0)), ["committed"]);
    assert.equal(await seqsIn(world), [0]);
  }
  assert.equal([...outcomes].toSorted(), ["0 0", "0 1", "1 1"]);
});

test("a store that is away refuses calls until it is back, and one on its way as well", async () => {
  const world = await setUp();
  const { store, during, clock } = world;
  const onItsWay = commit(store, 0);
  store.leave();
  assert.is(await codeOf(during(onItsWay)), "STORE_UNAVAILABLE");
  assert.is(await codeOf(during(store.find("run"))), "STORE_UNAVAILABLE");
  clock.after(30, () => store.comeBack());
  await during(delay(clock, 31));
  assert.equal(await during(commit(store, 0)), ["committed"]);
});

test("a store that forgets is what it was some time ago, generations too", async () => {
  const world = await setUp();
  const { store, during, clock } = world;
  await during(commit(store, 0));
  await during(delay(clock, 20));
  await during(commit(store, 1));
  await during(store.fence("run", [0]));
  assert.is(await store.forget(10), 2);
  assert.equal(await seqsIn(world), [0]);
  assert.equal(await during(commit(store, 1)), ["committed"], "the fence is forgotten as well");
  assert.is(await store.forget(10_000), 3);
  assert.is(await codeOf(during(store.read("run", 0, -1, 1))), "EXECUTION_UNKNOWN");
});

test("healing ends what is wrong", async () => {
  const { store, during } = await setUp();
  store.leave();
  store.timeOut(5);
  store.heal();
  assert.equal(await during(commit(store, 0)), ["committed"]);
});

test("whoever calls may die: nobody is answered, and what wasn't begun isn't done", async () => {
  const world = await setUp();
  const { store, clock, during } = world;
  await during(commit(store, 0));
  let answered = 0;
  void commit(store, 1).then(() => answered++);
  store.disconnect();
  void commit(store, 2).then(() => answered++);
  await clock.run();
  store.connect();
  assert.equal(await seqsIn(world), [0]);
  assert.is(answered, 0);
  // What the store has begun is done, though nobody hears of it any more.
  const late = commit(store, 1).then(() => answered++);
  for (let ms = 0; ms < 50 && (await store.look()).length > 0; ms++) {
    await clock.run({ ms: clock.monotonic() + 0.01 });
    if (world.calls.includes("commit begun")) break;
  }
  store.disconnect();
  await Promise.race([late, clock.run()]);
  store.connect();
  assert.ok((await seqsIn(world)).length <= 2);
  assert.is(answered, 0);
});

test("an execution whose removal wasn't answered may still be there", async () => {
  const { store, during } = await setUp();
  assert.is(store.mayRemain, false);
  store.leave();
  assert.is(await during(codeOf(store.drop("run"))), "STORE_UNAVAILABLE");
  assert.is(store.mayRemain, true);
  store.comeBack();
  await during(store.drop("run"));
  assert.is(store.mayRemain, false);
  assert.equal(await store.look(), []);
  // It forgets that, too.
  await store.forget(1000);
  assert.is(store.mayRemain, true);
});

test.run();
