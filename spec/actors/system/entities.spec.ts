import fc from "fast-check";
import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/entities");

const account = (notes: string[] = [], pause?: () => Promise<void>) =>
  actor({
    kind: "account",
    init: (key: string) => {
      notes.push(`${key} begins`);
      return { key, count: 0 };
    },
    receive: {
      add: (state, amount: number) => (state.count += amount),
      async sleep() {
        await new Promise<void>((resolve) => sleepers.push(resolve));
      },
      remind(_state, ms: number, ctx) {
        ctx.after(ms, "add", 1);
      },
      whoAmI: (_state, _: undefined, ctx): AnyReference => ctx.self,
      aside(_state, _: undefined, ctx) {
        ctx.stash();
      },
      stop(_state, _: undefined, ctx) {
        ctx.stop();
      },
      fail(): never {
        throw new Error("broken");
      },
      watch(_state, other: AnyReference, ctx) {
        ctx.watch(other);
      },
    },
    watched: ({ key }, { actor: ended, reason }) => void notes.push(`${key}: ${ended.label} ${reason}`),
    stopped: async ({ key }) => {
      await pause?.();
      notes.push(`${key} ends`);
    },
    passivateMs: 100,
    supervise: [{ do: "restart", limit: { restarts: 1, withinMs: 1000 } }],
  });
const sleepers: (() => void)[] = [];
const wakeAll = (): void => {
  for (const wake of sleepers.splice(0)) wake();
};

test("an entity comes to be with its first message, and never twice at a time", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const definition = account(notes);
  const ann = under.entity(definition, "ann");
  await under.settle();
  assert.is(under.node.size, 0);
  for (let count = 0; count < 5; count++) under.entity(definition, "ann").tell("add", 1);
  assert.is(await under.answer(ann.ask("add", 1)), 6);
  assert.equal(notes, ["ann begins"]);
  assert.is(ann.label, "account/ann");
});

test("an entity that is idle is passivated, and made again by its next message", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const ann = under.entity(account(notes), "ann");
  ann.tell("add", 1);
  await under.pass(90);
  ann.tell("add", 1);
  await under.pass(90);
  assert.is(under.node.size, 1);
  await under.pass(200);
  assert.is(under.node.size, 0);
  assert.is(await under.answer(ann.ask("add", 1)), 1);
  assert.equal(notes, ["ann begins", "ann ends", "ann begins"]);
  await under.pass(1000);
  assert.is(under.node.size, 0);
});

test("an entity isn't passivated while it has mail, works, or waits for a timer or an end", async () => {
  const under = new NodeUnderTest();
  const definition = account();
  const [working, waiting, aside, watching] = ["a", "b", "c", "d"].map((key) => under.entity(definition, key));
  assert.ok(working !== undefined && waiting !== undefined && aside !== undefined && watching !== undefined);
  working.tell("sleep");
  const later = working.ask("add", 5);
  waiting.tell("remind", 700);
  aside.tell("aside");
  watching.tell("watch", under.spawn(account(), "alive"));
  await under.pass(650);
  assert.is(under.node.size, 5);
  wakeAll();
  assert.is(await under.answer(later), 5);
  await under.pass(500);
  assert.is(under.node.size, 3);
  assert.equal(under.deadLetters, []);
});

test("mail that came a moment ago keeps an entity from being passivated", async () => {
  const under = new NodeUnderTest();
  const ann = under.entity(account(), "ann");
  ann.tell("add", 1);
  await under.pass(100);
  ann.tell("add", 1);
  // Time passes, and nobody has had a turn yet.
  assert.ok(under.clock.next(200));
  assert.is(await under.answer(ann.ask("add", 1)), 3);
});

test("what comes while an entity ends is for its next life", async () => {
  const [notes, under, pauses] = [[] as string[], new NodeUnderTest(), [] as (() => void)[]];
  const ann = under.entity(
    account(notes, () => new Promise((resolve) => pauses.push(resolve))),
    "ann",
  );
  ann.tell("add", 1);
  ann.tell("stop");
  const behind = ann.ask("add", 10);
  await under.settle();
  const meanwhile = ann.ask("add", 100);
  await under.settle();
  assert.equal(notes, ["ann begins"]);
  pauses.pop()?.();
  assert.is(await under.answer(behind), 10);
  assert.is(await under.answer(meanwhile), 110);
  assert.equal(notes, ["ann begins", "ann ends", "ann begins"]);
  assert.equal(under.deadLetters, []);
});

test("what waits for an entity that fails too often is dead letters, and it can come again", async () => {
  const under = new NodeUnderTest();
  const ann = under.entity(account(), "ann");
  for (const name of ["fail", "fail", "stop"] as const) ann.tell(name);
  await under.settle();
  assert.equal(under.deadLetters, ["stop stopped"]);
  assert.is(await under.answer(ann.ask("add", 2)), 2);
});

test("an entity's own reference outlives it, and its ends are told by it", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const definition = account(notes);
  const [ann, bob] = [under.entity(definition, "ann"), under.entity(definition, "bob")];
  const self = await under.answer(ann.ask("whoAmI"));
  assert.ok(self.equals(ann) && ann.equals(self));
  bob.tell("watch", ann);
  await under.settle();
  ann.tell("stop");
  await under.settle();
  assert.ok(notes.includes("bob: account/ann stopped"));
  assert.is(await under.answer(self.ask("add", 3)), 3);
  ann.tell("watch", bob);
  await under.settle();
  under.node.stop(bob);
  await under.settle();
  assert.ok(notes.includes("ann: account/bob stopped"));
});

test("a key that can't be, and two kinds of one name, are refused", async () => {
  const under = new NodeUnderTest();
  const definition = account();
  for (const key of ["", "x".repeat(1025)]) await failure(() => under.entity(definition, key), "OPTION_INVALID");
  under.entity(definition, "ann");
  const error = await failure(() => under.entity(account(), "ann"), "ACTOR_INVALID");
  assert.match(error.message, /two definitions are called "account"/);
});

test("no message to entities is lost or handled twice, however they stop and time passes", async () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b"),
    kind: fc.constantFrom("add" as const, "add" as const, "stop" as const, "pass" as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, isLate) => {
      const under = new NodeUnderTest();
      const definition = account([], isLate ? () => Promise.resolve() : undefined);
      let added = 0;
      const before = (): number => under.node.metrics.handled;
      let handledAdds = 0;
      const answers: Promise<unknown>[] = [];
      for (const { key, kind } of steps) {
        if (kind === "pass") await under.pass(70);
        else if (kind === "stop") under.entity(definition, key).tell("stop");
        else {
          added++;
          answers.push(
            under
              .entity(definition, key)
              .ask("add", 1)
              .then(() => handledAdds++),
          );
        }
      }
      await under.pass(1000);
      await Promise.all(answers);
      assert.is(handledAdds, added);
      assert.equal(under.deadLetters, []);
      assert.is(under.node.size, 0);
      assert.ok(before() >= added);
    }),
    { numRuns: 100 },
  );
});

test.run();
