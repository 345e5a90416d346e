import * as assert from "uvu/assert";
import { actor } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/actor-timers");

const clockwork = actor({
  kind: "clockwork",
  init: () => ({ words: [] as string[] }),
  receive: {
    after: (_state, { ms, word }: { ms: number; word: string }, ctx) => ctx.after(ms, "say", word),
    every: (_state, { ms, word }: { ms: number; word: string }, ctx) => ctx.every(ms, "say", word),
    cancel: (_state, timer: number, ctx) => ctx.cancel(timer),
    unknown: (_state, _: undefined, ctx) => ctx.after(1, "unknwon"),
    say(state, word: string) {
      state.words.push(word);
    },
    async sleep(_state, _: undefined, ctx) {
      await new Promise<void>((resolve) => sleepers.push(resolve));
      return ctx.now();
    },
    later: (_state, _: undefined, ctx) => ctx.deferred<string>(),
    remind: (_state, ms: number, ctx) => ctx.every(ms, "later"),
    fail(): never {
      throw new Error("broken");
    },
    words: (state) => state.words,
  },
});
const sleepers: (() => void)[] = [];

test("timers go off in the order of their times, to the millisecond", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork);
  for (const ms of [30, 10, 20, 10]) target.tell("after", { ms, word: `after ${ms}` });
  await under.pass(9);
  assert.equal(await under.answer(target.ask("words")), []);
  await under.pass(1);
  assert.equal(await under.answer(target.ask("words")), ["after 10", "after 10"]);
  await under.pass(20);
  assert.equal(await under.answer(target.ask("words")), ["after 10", "after 10", "after 20", "after 30"]);
});

test("a timer that repeats itself goes off once a period", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork);
  target.tell("every", { ms: 10, word: "tick" });
  await under.pass(55);
  assert.is((await under.answer(target.ask("words"))).length, 5);
});

test("a timer sends nothing more while its last message waits", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork);
  target.tell("every", { ms: 10, word: "tick" });
  target.tell("sleep");
  await under.pass(1000);
  sleepers.pop()?.();
  assert.equal(await under.answer(target.ask("words")), ["tick"]);
  await under.pass(20);
  assert.equal(await under.answer(target.ask("words")), ["tick", "tick", "tick"]);
});

test("a timer goes on though its handler promised an answer that never comes", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork);
  target.tell("remind", 10);
  const before = under.node.metrics.handled;
  await under.pass(100);
  assert.is(under.node.metrics.handled - before, 12);
});

test("what is cancelled isn't handled, though it waits in the mailbox already", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork);
  const timer = await under.answer(target.ask("after", { ms: 10, word: "never" }));
  target.tell("sleep");
  await under.settle();
  const cancelled = target.ask("cancel", timer);
  const again = target.ask("cancel", timer);
  // The timer's message is behind the two, so it is cancelled while it waits.
  await under.pass(20);
  sleepers.pop()?.();
  assert.equal([await under.answer(cancelled), await under.answer(again)], [true, false]);
  assert.equal(await under.answer(target.ask("words")), []);
  assert.equal(under.deadLetters, []);
});

test("timers end with their actor, and when it is restarted", async () => {
  const under = new NodeUnderTest();
  const [one, other] = [under.spawn(clockwork), under.spawn(clockwork)];
  for (const each of [one, other]) each.tell("every", { ms: 10, word: "tick" });
  await under.settle();
  one.tell("fail");
  under.stop(other);
  await under.pass(100);
  assert.equal(await under.answer(one.ask("words")), []);
  assert.equal(under.deadLetters, []);
});

test("a timer is refused that can't be", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork, undefined, { supervise: [{ do: "resume" }] });
  const error = await failure(() => under.answer(target.ask("unknown")), "ACTOR_INVALID");
  assert.match(error.message, /sets a timer for "unknwon".*Its handlers are: after, every/);
  for (const ms of [-1, Number.NaN, 2 ** 31, Infinity]) {
    await failure(() => under.answer(target.ask("after", { ms, word: "never" })), "OPTION_INVALID");
  }
  await failure(() => under.answer(target.ask("every", { ms: 0, word: "never" })), "OPTION_INVALID");
});

test("a timer whose actor has no room is a dead letter, and nobody's error", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(clockwork, undefined, { mailbox: { limit: 1, full: "fail" } });
  target.tell("after", { ms: 10, word: "never" });
  await under.settle();
  target.tell("sleep");
  await under.settle();
  target.tell("say", "fills it");
  await under.pass(20);
  assert.equal(under.deadLetters, ["say mailbox-full"]);
  sleepers.pop()?.();
  await under.settle();
  assert.equal(await under.answer(target.ask("words")), ["fills it"]);
});

test.run();
