import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { actorSink, entitiesSink, fromActor, local, startActors } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import bank, { account, broken, ledger, source } from "./flows/ledger-actors.ts";
import {
  delivered,
  firstOf,
  fromMessage,
  fromSource,
  onSlots,
  toBroken,
  toLedger,
  toMessage,
} from "./flows/ledger-flows.ts";
import { meetingPlaces, type Meeting } from "./flows/meetings.ts";

const test = suite("flows and actors that fail");
const oneSlot = { slots: 1, isolation: "thread", store: "none" } as const;

for (const { name, open, close } of meetingPlaces.slice(0, 4)) {
  const add = (sentence: string, body: (meeting: Meeting) => Promise<void>): void =>
    test(`${sentence} (${name})`, async () => body(await open()));

  add("what an actor throws fails the step, and names actor, message and object", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const error = await failure(
      () => toMessage.run({ to, upTo: 20, message: "refuse" }, { on: session }),
      "STEP_FAILED",
      { step: "sent" },
    );
    assert.match(error.message, /ledger-[\d.]+ failed at "refuse" with \{ owner: 'owner-0', number: 7 \}: no sevens/u);
    assert.is((error.cause as Error).message, "no sevens");
  });

  add(
    "an actor that fails at everything ends, and the step fails with what it failed at",
    async ({ session, system }) => {
      const to = system.spawn(broken, undefined, { name: `broken by ${name}` });
      // The flow tries again, and asks an actor then that has used up its restarts.
      const error = await failure(() => toBroken.run({ to, upTo: 200 }, { on: session }), "STEP_FAILED", {
        step: "sent",
      });
      assert.match(
        error.message,
        /broken.* failed.*"record" with \{ owner: 'owner-\d', number: \d+ \}: the ledger has no/u,
      );
      assert.is((error.cause as Error).message, "the ledger has no such page");
      const ended = await failure(() => to.ask("get"), "ACTOR_STOPPED");
      assert.match(
        ended.message,
        new RegExp(`broken by ${name} isn't there any more.*the ledger has no such page`, "u"),
      );
    },
  );

  add("an actor that ends fails the step, with advice", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const error = await failure(
      () => toMessage.run({ to, upTo: 20, message: "end" }, { on: session }),
      "ACTOR_STOPPED",
      { step: "sent" },
    );
    assert.match(error.message, /didn't take "end" with .*has to outlive it/u);
  });

  add("an actor that doesn't answer in time fails the step", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const error = await failure(
      () => toMessage.run({ to, upTo: 20, message: "never", timeoutMs: 30 }, { on: session }),
      "ASK_TIMEOUT",
      { step: "sent" },
    );
    assert.match(error.message, /inFlight/u);
  });

  add("a flow that waits for an answer is cancelled at once", async ({ session, system }) => {
    const to = system.spawn(ledger, {});
    const execution = await toMessage.start({ to, upTo: 200, message: "never" }, { on: session });
    const ended = failure(() => execution.outputs, "ABORTED");
    setTimeout(() => execution.cancel("enough"), 30);
    const startedAt = performance.now();
    await ended;
    assert.ok(performance.now() - startedAt < 1500);
  });

  add("a reader that waits for an answer is left when nobody wants more", async ({ session, system }) => {
    const from = system.spawn(source, 100);
    assert.is((await firstOf.run({ from, message: "next" }, { on: session })).numbers.length, 3);
    const execution = await firstOf.start({ from: system.spawn(source, 100), message: "forever" }, { on: session });
    const ended = failure(() => execution.outputs, "ABORTED");
    setTimeout(() => execution.cancel("enough"), 30);
    await ended;
  });

  add("what isn't an array, an actor that ends, throws or is silent fails the reader", async ({ session, system }) => {
    const read = (message: string, timeoutMs?: number) => () =>
      fromMessage.run(
        { from: system.spawn(source, 10), message, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
        { on: session },
      );
    const place = { step: "numbers" };
    assert.match((await failure(read("wrong"), "BAD_INPUT", place)).message, /answered "wrong" with a string/u);
    assert.match((await failure(read("end"), "ACTOR_STOPPED", place)).message, /lives until the flow has heard that/u);
    assert.match((await failure(read("throws"), "STEP_FAILED", place)).message, /source-[\d.]+ failed.*out of paper/u);
    await failure(read("forever", 50), "ASK_TIMEOUT", place);
    await failure(read("nothing"), "MESSAGE_UNHANDLED", place);
  });

  test.after(close);
}

test("a system that is closed ends the flows that wait for it", async () => {
  const session = await local({ slots: 2, isolation: "thread", store: "memory" });
  const system = await bank.start({ on: session, onEvent: () => {} });
  const to = system.spawn(ledger, {});
  assert.is(await to.ask("repeated"), 0);
  const idle = (await system.metrics()).handled;
  const run = toMessage.run({ to, upTo: 20, message: "never" }, { on: session });
  const error = failure(() => run, "SESSION_CLOSED");
  // oxlint-disable-next-line no-await-in-loop -- looks again and again
  while ((await system.metrics()).handled === idle) await wait(5);
  void system.close();
  assert.match((await error).message, /the system of actors was closed/u);
  await failure(() => toLedger.run({ to: system.spawn(ledger, {}), upTo: 20 }, { on: session }), "SESSION_CLOSED");
  await session.close();
});

test("actors of a thread can't be reached from slots in others", async () => {
  const system = startActors();
  const to = system.spawn(ledger, {});
  const here = await failure(() => onSlots.run({ to, upTo: 20 }, oneSlot), "ACTOR_UNREACHABLE", { step: "sent" });
  assert.match(here.message, /ledger-1 can't be reached from slot.*leave out `place`/u);
  await system.close();
});

test("actors of a system that is closed can't be reached", async () => {
  const own = await bank.start({ slots: 1, isolation: "thread" });
  const args = { to: own.spawn(ledger, {}), upTo: 20, message: "record", timeoutMs: 100 } as const;
  await own.close();
  const gone = await failure(() => toMessage.run(args, oneSlot), "ACTOR_UNREACHABLE", { step: "sent" });
  assert.match(gone.message, /on the session on which its system was started/u);
});

test("a flow on another session of this process goes by the client's thread", async () => {
  await using own = await bank.start({ slots: 1, isolation: "thread" });
  const to = own.spawn(ledger, {});
  assert.equal(await toLedger.run({ to, upTo: 20 }, oneSlot), { sent: { objects: 20 } });
  assert.is((await to.ask("numbers")).length, 20);
});

test("what is no reference, and options that can't be, are refused when the flow is built", async () => {
  await using system = startActors();
  const to = system.spawn(ledger, {});
  const none = undefined as never;
  await failure(() => actorSink(none, "record" as never), "OPTION_INVALID");
  await failure(() => entitiesSink(to as never, none, "pay" as never), "OPTION_INVALID");
  await failure(() => fromActor(none, none), "OPTION_INVALID");
  await failure(() => fromActor([], "next" as never), "OPTION_INVALID");
  await failure(() => actorSink(to, none), "OPTION_INVALID");
  for (const options of [{ inFlight: 0 }, { batches: 1.5 }, { timeoutMs: 0 }, { numbered: 1 }, { batch: 1 }]) {
    await failure(() => actorSink(to, "record" as never, options as object), "OPTION_INVALID");
  }
  const from = system.spawn(source, 1);
  for (const options of [{ most: 0 }, { pauseMs: -1 }, { timeoutMs: Number.NaN }, { often: 1 }]) {
    await failure(() => fromActor(from, "next", options as object), "OPTION_INVALID");
  }
  await failure(() => system.entities(account).of(""), "OPTION_INVALID");
});

test("actors that never end, more of them than channels, are refused: some would never be asked", async () => {
  await using system = startActors();
  const two = [system.spawn(source, 1), system.spawn(source, 1)];
  const splitsFor = (channels: number, endless: boolean): unknown =>
    fromActor(two, "next", { endless }).splits({ channels } as never);
  const { message } = await failure(() => splitsFor(1, true), "OPTION_INVALID");
  assert.match(message, /2 actors that are endless for 1 channel: some would never be asked/u);
  for (const [channels, endless] of [
    [1, false],
    [2, true],
  ] as const) {
    assert.equal(splitsFor(channels, endless), [{ asker: 0 }, { asker: 1 }]);
  }
});

test("what goes to actors is at-least-once, unless it is delivered with numbers", async () => {
  await using system = startActors();
  const to = system.spawn(ledger, {});
  const options = { slots: 2, isolation: "none", store: "memory", exactlyOnce: true } as const;
  await failure(() => toLedger.run({ to, upTo: 20 }, options), "OPTION_INVALID", { step: "sent" });
  assert.equal((await delivered.run({ to, upTo: 20, batches: 5 }, options)).sent, { objects: 20 });
  assert.match(toLedger.explain({ to, upTo: 20 }), /at-least-once/u);
  assert.match(delivered.explain({ to, upTo: 20, batches: 5 }), /idempotent/u);
  assert.match(fromSource.explain({ from: system.spawn(source, 1) }), /client/u);
});

test.run();
