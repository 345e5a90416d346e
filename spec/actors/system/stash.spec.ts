// What is put aside, modes, and answers: against a plain model of a mailbox.
import fc from "fast-check";
import * as assert from "uvu/assert";
import { actor } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/stash");

type Step = { readonly kind: "word" | "open" | "shut" | "fail"; readonly id: number };

/** Puts words aside while it is shut, and says what it handled. */
const desk = (seen: string[], isLate: boolean) => {
  const pause = (): Promise<void> | undefined => (isLate ? Promise.resolve() : undefined);
  return actor({
    kind: "desk",
    init: () => ({ since: 0 }),
    receive: {
      async word(_state, id: number, ctx) {
        await pause();
        ctx.stash();
        return id;
      },
      async open(_state, id: number, ctx) {
        await pause();
        ctx.become("open");
        ctx.unstash();
        seen.push(`open ${id}`);
      },
      shut() {},
      fail(_state, id: number): never {
        throw new Error(String(id));
      },
    },
    modes: {
      open: {
        word(_state, id) {
          seen.push(`word ${id}`);
          return id;
        },
        shut(_state, _, ctx) {
          ctx.become();
        },
      },
    },
    supervise: [{ do: "restart", limit: { restarts: 10_000, withinMs: 1 } }],
  });
};

/** The same, as plain lists. */
function model(steps: readonly Step[]): string[] {
  const seen: string[] = [];
  const queue = [...steps];
  let aside: Step[] = [];
  let isOpen = false;
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    if (step.kind === "word" && !isOpen) aside.push(step);
    else if (step.kind === "shut") isOpen = false;
    else if (step.kind === "word") seen.push(`word ${step.id}`);
    else {
      // A restart makes mail again of what was put aside, and so does opening.
      isOpen = step.kind === "open";
      if (isOpen) seen.push(`open ${step.id}`);
      queue.unshift(...aside);
      aside = [];
    }
  }
  return seen;
}

test("what is put aside is handled once, in its order, whatever happens in between", async () => {
  const kinds = fc.array(fc.constantFrom<Step["kind"]>("word", "word", "word", "open", "shut", "fail"), {
    maxLength: 25,
  });
  await fc.assert(
    fc.asyncProperty(kinds, fc.boolean(), async (all, isLate) => {
      const steps = all.map((kind, id) => ({ kind, id }));
      const [under, seen] = [new NodeUnderTest(), [] as string[]];
      const target = under.spawn(desk(seen, isLate));
      const answers = new Map<number, unknown>();
      for (const { kind, id } of steps) {
        const answer = kind === "shut" ? target.ask("shut") : target.ask(kind, id, { timeoutMs: Infinity });
        answer.then(
          (value) => answers.set(id, value),
          (error: Error) => answers.set(id, error.message),
        );
      }
      await under.settle();
      const expected = model(steps);
      assert.equal(seen, expected);
      for (const { kind, id } of steps) {
        const isHandled = kind !== "word" || expected.includes(`word ${id}`);
        assert.is(answers.has(id), isHandled, `${kind} ${id}`);
        if (kind === "word" && isHandled) assert.is(answers.get(id), id);
      }
      under.node.close();
      await under.settle();
      assert.is(answers.size, steps.length);
    }),
    { numRuns: 200 },
  );
});

const keeper = actor({
  kind: "keeper",
  init: () => ({ handled: 0 }),
  receive: {
    twice(state, _: undefined, ctx) {
      state.handled++;
      if (state.handled > 1) return "done";
      ctx.stash();
      ctx.stash();
      ctx.unstash();
      ctx.stash();
      return "never";
    },
    aside(_state, _: undefined, ctx) {
      ctx.stash();
    },
    asideAndFail(_state, _: undefined, ctx): never {
      ctx.stash();
      throw new Error("broken");
    },
    become: (_state, mode: string, ctx) => ctx.become(mode),
    handled: (state) => state.handled,
  },
  supervise: [{ do: "resume" }],
  modes: { known: {} },
});

test("a message is put aside once, and answered by who handles it in the end", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(keeper);
  assert.is(await under.answer(target.ask("twice")), "done");
  assert.is(await under.answer(target.ask("handled")), 2);
  const told = under.spawn(keeper);
  told.tell("twice");
  await under.settle();
  assert.is(await under.answer(told.ask("handled")), 2);
});

test("what is put aside by a handler that fails isn't handled again", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(keeper);
  const error = await under.answer(target.ask("asideAndFail")).catch((thrown: Error) => thrown);
  assert.is((error as Error).message, "broken");
  target.tell("asideAndFail");
  await under.settle();
  under.stop(target);
  await under.settle();
  assert.equal(under.deadLetters, []);
});

test("no more is put aside than a mailbox holds, and what is aside at the end is dead letters", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(keeper, undefined, { mailbox: { limit: 2 } });
  for (let count = 0; count < 2; count++) target.tell("aside");
  await under.settle();
  await failure(() => under.answer(target.ask("aside")), "LIMIT_EXCEEDED");
  under.stop(target);
  await under.settle();
  assert.equal(under.deadLetters, ["aside stopped", "aside stopped"]);
});

test("a mode that there isn't is refused, with those that there are", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(keeper);
  const error = await failure(() => under.answer(target.ask("become", "unknown")), "ACTOR_INVALID");
  assert.match(error.message, /keeper-1 has no mode "unknown". Its modes are: known/);
});

test("nothing can be put aside, handed on or promised where no message is handled", async () => {
  for (const method of ["stash", "deferred", "forward"] as const) {
    const under = new NodeUnderTest();
    const wrong = actor({
      init: (_: undefined, ctx) => {
        ctx[method](ctx.self);
      },
      receive: { go() {} },
      supervise: [{ do: "stop" }],
    });
    under.spawn(wrong, undefined);
    await under.settle();
    const [event] = under.events;
    assert.match(event?.kind === "actor-failed" ? event.error.message : "", /while it handles no message/, method);
  }
});

test.run();
