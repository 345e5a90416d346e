// What becomes of a promised answer when nobody is left to give it.
import * as assert from "uvu/assert";
import { actor, type Deferred } from "../../../lib/index.ts";
import { PromisedAnswers } from "../../../actors/system/promised-answers.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/promised-answers");

/** Promises answers, and gives them, or some of them, in its `stopped`. */
const promising = actor({
  kind: "promising",
  init: () => ({ promised: [] as Deferred<number>[] }),
  receive: {
    hold(state, _: undefined, ctx) {
      const answer = ctx.deferred<number>();
      state.promised.push(answer);
      return answer;
    },
    give(state, value: number) {
      state.promised.shift()?.send(value);
    },
    fail(): never {
      throw new Error("out of paper");
    },
    stop(_state, _: undefined, ctx) {
      ctx.stop();
    },
  },
});

const lastWords = (isLate: boolean) =>
  actor({
    kind: "last-words",
    init: () => ({ promised: [] as Deferred<string>[] }),
    receive: {
      hold(state, _: undefined, ctx) {
        const answer = ctx.deferred<string>();
        state.promised.push(answer);
        return answer;
      },
      stop(_state, _: undefined, ctx) {
        ctx.stop();
      },
      fail(): never {
        throw new Error("out of paper");
      },
    },
    async stopped({ promised }) {
      if (isLate) await Promise.resolve();
      promised[0]?.send("bye");
    },
  });

const noLimit = { timeoutMs: Infinity } as const;

/** Asks for what is promised only: its refusal is looked at later. */
function hold<T>(to: { ask: (name: "hold", payload: undefined, options: typeof noLimit) => Promise<T> }): Promise<T> {
  const answer = to.ask("hold", undefined, noLimit);
  answer.catch(() => {});
  return answer;
}

test("who waits for an answer of an actor that stops is told at once", async () => {
  const system = new NodeUnderTest();
  const to = system.spawn(promising);
  const first = hold(to);
  const second = hold(to);
  await system.settle();
  to.tell("give", 5);
  to.tell("stop");
  assert.is(await system.answer(first), 5);
  const { message } = await failure(() => system.answer(second), "ACTOR_STOPPED");
  assert.match(message, /promising-1 ended before it answered "hold"/u);
  assert.equal(system.deadLetters, []);
});

test("a restart throws away who was promised an answer with the state, and says why", async () => {
  const system = new NodeUnderTest();
  const to = system.spawn(promising);
  const before = hold(to);
  await system.settle();
  to.tell("fail");
  const { message, cause } = await failure(() => system.answer(before), "ACTOR_STOPPED");
  assert.match(message, /promising-1 was restarted before it answered "hold": out of paper/u);
  assert.is((cause as Error).message, "out of paper");
  const after = hold(to);
  await system.settle();
  to.tell("give", 7);
  assert.is(await system.answer(after), 7);
});

for (const isLate of [false, true]) {
  for (const end of ["stop", "fail"] as const) {
    test(`\`stopped\` may still give an answer${isLate ? " later" : ""} (${end})`, async () => {
      const system = new NodeUnderTest();
      const to = system.spawn(lastWords(isLate));
      const first = hold(to);
      const second = hold(to);
      await system.settle();
      to.tell(end);
      assert.is(await system.answer(first), "bye");
      await failure(() => system.answer(second), "ACTOR_STOPPED");
    });
  }
}

test("an entity isn't passivated while somebody waits for an answer that it has promised", async () => {
  const system = new NodeUnderTest();
  const kind = actor({
    ...handlersOf(),
    kind: "patient",
    passivateMs: 100,
    init: (_key: string): Promises => ({ promised: [] }),
  });
  const to = system.entity(kind, "a");
  const waiting = hold(to);
  await system.pass(1000);
  to.tell("give", 3);
  assert.is(await system.answer(waiting), 3);
  assert.is(system.node.size, 1);
  await system.pass(1000);
  assert.is(system.node.size, 0);
});

test("questions that are over by themselves aren't kept", () => {
  const answers = new PromisedAnswers();
  for (let number = 0; number < 10_000; number++) {
    const reply = { isOver: false, answer: () => {}, refuse: () => {} };
    answers.add(reply, "hold");
    reply.isOver = true;
    assert.ok(answers.size <= 64);
  }
  assert.not.ok(answers.isOpen);
});

interface Promises {
  readonly promised: Deferred<number>[];
}

function handlersOf() {
  return {
    receive: {
      hold({ promised }: Promises, _: undefined, ctx: { deferred: <T>() => Deferred<T> }) {
        const answer = ctx.deferred<number>();
        promised.push(answer);
        return answer;
      },
      give: ({ promised }: Promises, value: number) => promised.shift()?.send(value),
    },
  };
}

test.run();
