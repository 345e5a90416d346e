import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import { defineExploration, explore, findViolation, type ExploredWorld } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("asking, and mailboxes that are full, in explorations");
const url = import.meta.url;

const clerk = actor({
  kind: "clerk",
  init: () => ({}),
  receive: { stamp: () => "stamped" },
});

/** Has little room, and is busy while it waits for somebody else. */
const desk = actor({
  kind: "desk",
  mailbox: { limit: 2, full: "fail" },
  init: (clerk: AnyReference) => ({ clerk, done: 0 }),
  receive: {
    async hand(state) {
      await state.clerk.ask("stamp");
      state.done++;
    },
    async ask(state) {
      await state.clerk.ask("stamp");
      return "here";
    },
  },
});

const crowd = actor({
  kind: "crowd",
  init: () => ({}),
  receive: {
    come(_, { to, count }: { to: AnyReference; count: number }) {
      for (let at = 0; at < count; at++) to.tell("hand");
    },
  },
});

const crowded = (count: number) =>
  defineExploration<{ at: AnyReference }>(url, {
    name: "crowded",
    start(world) {
      const at = world.spawn(desk, world.spawn(clerk));
      world.spawn(crowd).tell("come", { to: at, count });
      return { at };
    },
    faults: { delayMs: [5, 6] },
    atEnd: {
      "some found no room": ({ at }, world) => {
        const { done } = world.state<{ done: number }>(at) ?? { done: 0 };
        return (done > 0 && done < count) || `${done} of ${count}`;
      },
    },
  });

test("what finds no room in a mailbox on another machine is a dead letter", async () => {
  let deadLetters = 0;
  await explore(crowded(10), { seeds: 20, onRun: (run) => (deadLetters += run.deadLetters) });
  assert.ok(deadLetters >= 100, `${deadLetters} dead letters`);
  const { violation } = await findViolation(crowded(4), { exhaustive: { executions: 200 } });
  assert.is(violation?.invariant, "some found no room", "all orders should hold one in which all find room");
});

/** Asks somebody on its own machine, in a way that can't be, or too often. */
const asker = actor({
  kind: "asker",
  init: () => ({ answers: [] as string[] }),
  receive: {
    async ask(state, { to, count, timeoutMs }: { to: AnyReference; count: number; timeoutMs: number }) {
      const answers = await Promise.allSettled(
        Array.from({ length: count }, () => to.ask("ask", undefined, { timeoutMs })),
      );
      state.answers = answers.map((each) =>
        each.status === "fulfilled" ? String(each.value) : String((each.reason as { code?: string }).code),
      );
    },
  },
});

const asking = (how: { readonly count: number; readonly timeoutMs: number }, wanted: string) =>
  defineExploration<{ from: AnyReference }>(url, {
    machines: 1,
    start(world) {
      const to = world.spawn(desk, world.spawn(clerk));
      const from = world.spawn(asker);
      from.tell("ask", { to, ...how });
      return { from };
    },
    atEnd: {
      "the answers are those": ({ from }, world) => {
        const answers = world.state<{ answers: string[] }>(from)?.answers.join() ?? "";
        return answers === wanted || answers;
      },
      "no question is left": (_, world) => openQuestions(world) === 0,
    },
  });

const openQuestions = (world: ExploredWorld): number =>
  (world.machines as unknown as readonly { asks: Set<object> }[]).reduce((sum, { asks }) => sum + asks.size, 0);

test("a question that finds no room is refused, and is over", async () => {
  await explore(asking({ count: 3, timeoutMs: Infinity }, "here,here,MAILBOX_FULL"), { seeds: 5 });
});

test("options of a question that can't be are refused as everywhere", async () => {
  await explore(asking({ count: 1, timeoutMs: -1 }, "OPTION_INVALID"), { seeds: 1 });
});

test.run();
