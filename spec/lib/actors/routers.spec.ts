import fc from "fast-check";
import * as assert from "uvu/assert";
import { actor, broadcaster, router, workerPool, type AnyReference } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("lib/actors/routers");

const worker = actor({
  kind: "worker",
  init: (start: number) => ({ count: start }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    count: (state) => state.count,
    whose: (_state, _customer: string, ctx) => ctx.self.label,
    sender: (_state, _: undefined, ctx) => ctx.sender,
    fail(_state, message: string): never {
      throw new Error(message);
    },
    stop(_state, _: undefined, ctx) {
      ctx.stop();
    },
    async sleep() {
      await new Promise<void>((resolve) => sleepers.push(resolve));
    },
  },
  supervise: [{ on: RangeError, do: "escalate" }, { do: "stop" }],
});
const sleepers: (() => void)[] = [];

test("a pool hands messages to its workers one after the other, and they answer", async () => {
  const under = new NodeUnderTest();
  const pool = under.spawn(workerPool(worker, { size: 3 }), 10);
  for (let amount = 1; amount <= 6; amount++) pool.tell("add", amount);
  const counts = [pool.ask("count"), pool.ask("count"), pool.ask("count")].map((count) => under.answer(count));
  assert.equal(await Promise.all(counts), [10 + 1 + 4, 10 + 2 + 5, 10 + 3 + 6]);
  assert.is(under.node.size, 4);
  const asker = actor({
    init: () => 0,
    receive: { go: async (_state, _: undefined, ctx) => (await pool.ask("sender"))?.equals(ctx.self) },
  });
  assert.is(await under.answer(under.spawn(asker).ask("go")), true);
});

test("messages of equal keys go to the same worker, also when another one leaves", async () => {
  const key = fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(key, fc.integer({ min: 2, max: 6 }), async (customers, size) => {
      const under = new NodeUnderTest();
      const pool = under.spawn(
        workerPool(worker, { size, key: ({ name, payload }) => (name === "whose" ? payload : name) }),
        0,
      );
      const ask = async (): Promise<string[]> => {
        const labels = customers.map((customer) => pool.ask("whose", customer));
        await under.settle();
        return Promise.all(labels);
      };
      const before = await ask();
      assert.equal(await ask(), before);
      const leaving = [...under.node.living()].find(({ label }) => label === before[0]);
      under.stop(leaving?.self as AnyReference);
      await under.settle();
      const after = await ask();
      after.forEach((label, index) => {
        if (before[index] !== before[0]) assert.is(label, before[index]);
        else assert.is.not(label, before[0]);
      });
    }),
    { numRuns: 40 },
  );
});

test("keys spread over all workers", async () => {
  const under = new NodeUnderTest();
  const pool = under.spawn(workerPool(worker, { size: 8, key: ({ payload }) => payload ?? "" }), 0);
  const labels = Array.from({ length: 800 }, (_, index) => pool.ask("whose", `customer ${index}`));
  await under.settle();
  const counts = new Map<string, number>();
  for (const label of await Promise.all(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  assert.is(counts.size, 8);
  for (const count of counts.values()) assert.ok(count > 60 && count < 150, `${count} of 800`);
});

test("a worker that ends gets no more, and the pool ends with the last one", async () => {
  const under = new NodeUnderTest();
  const pool = under.spawn(workerPool(worker, { size: 2 }), 0);
  await under.answer(pool.ask("fail", "broken")).catch(() => {});
  for (let round = 0; round < 4; round++) assert.is(await under.answer(pool.ask("count")), 0);
  pool.tell("stop");
  await under.settle();
  await failure(() => under.answer(pool.ask("count")), "ACTOR_STOPPED");
  assert.is(under.node.size, 0);
});

test("what a worker escalates is the failure of who started the pool", async () => {
  const under = new NodeUnderTest();
  const owner = actor({
    kind: "owner",
    init: (_: undefined, ctx) => ctx.spawn(workerPool(strict, { size: 2 })),
    receive: { go: (pool) => pool.tell("fail"), restarts: (_pool, _: undefined, ctx) => ctx.restarts },
  });
  const strict = actor({
    init: () => 0,
    receive: {
      fail(): never {
        throw new RangeError("broken");
      },
    },
    supervise: [{ do: "escalate" }],
  });
  const target = under.spawn(owner, undefined);
  target.tell("go");
  await under.settle();
  assert.is(await under.answer(target.ask("restarts")), 1);
  assert.equal(under.actions, ["escalate", "escalate", "restart"]);
  assert.is(under.node.size, 4);
});

test("a key function that throws fails the ask, and neither pool nor workers", async () => {
  const under = new NodeUnderTest();
  const key = (): never => {
    throw new Error("no key");
  };
  const pool = under.spawn(workerPool(worker, { size: 2, key }), 0);
  const error = await under.answer(pool.ask("count")).catch((thrown: Error) => thrown);
  assert.is((error as Error).message, "no key");
  assert.equal(under.actions, ["resume"]);
  assert.is(under.node.size, 3);
});

test("a router hands on to actors that there are already, whatever the message", async () => {
  const under = new NodeUnderTest();
  const workers = [1, 2].map((start) => under.spawn(worker, start));
  const any = under.spawn(router(workers));
  const counts = [any.ask("count"), any.ask("count"), any.ask("count")];
  await under.settle();
  assert.equal(await Promise.all(counts), [1, 2, 1]);
  const other = any as unknown as { ask: (name: string) => Promise<unknown> };
  await failure(() => under.answer(other.ask("unknown")), "MESSAGE_UNHANDLED");
  under.stop(any);
  assert.is(under.node.size, 2);
});

test("a router can be stopped after its mail", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(worker, 0);
  const any = under.spawn(router([target]));
  any.tell("add", 5);
  under.node.stop(any, { afterMail: true });
  any.tell("add", 100);
  await under.settle();
  assert.is(await under.answer(target.ask("count")), 5);
  assert.equal(under.deadLetters, ["add stopped"]);
});

test("what a worker has no room for is a dead letter and refused, and the pool goes on", async () => {
  const under = new NodeUnderTest();
  const full = under.spawn(worker, 0, { mailbox: { limit: 1, full: "fail" } });
  const any = under.spawn(router([full]));
  full.tell("sleep");
  await under.settle();
  any.tell("add", 1);
  await under.settle();
  await failure(() => under.answer(any.ask("count")), "MAILBOX_FULL");
  assert.equal(under.actions, []);
  sleepers.pop()?.();
});

test("a broadcaster tells all, and answers with all answers or the first refusal", async () => {
  const under = new NodeUnderTest();
  const workers = [1, 2, 3].map((start) => under.spawn(worker, start));
  const all = under.spawn(broadcaster(workers));
  all.tell("add", 10);
  assert.equal(await under.answer(all.ask("count")), [11, 12, 13]);
  under.stop(workers[1] as AnyReference);
  await under.settle();
  assert.equal(await under.answer(all.ask("count")), [11, 13]);
  const error = await under.answer(all.ask("fail", "broken")).catch((thrown: Error) => thrown);
  assert.is((error as Error).message, "broken");
  await under.settle();
  await failure(() => under.answer(all.ask("count")), "ACTOR_STOPPED");
});

test("routers are refused that can't be", async () => {
  for (const size of [0, 1.5, 10_001]) await failure(() => workerPool(worker, { size }), "OPTION_INVALID");
  await failure(() => workerPool(worker, { size: 1, kye: 5 } as never), "OPTION_INVALID");
  await failure(() => workerPool({ kind: "none" } as never, { size: 1 }), "ACTOR_INVALID");
  await failure(() => router([]), "OPTION_INVALID");
  await failure(() => router([5] as never), "OPTION_INVALID");
  await failure(() => router([{ tell() {} }] as never, { key: "customer" } as never), "OPTION_INVALID");
  await failure(() => broadcaster("all" as never), "OPTION_INVALID");
});

test.run();
