// Families of actors, their ends, and who is told of them.
import * as assert from "uvu/assert";
import { actor, type ActorDefinition, type ActorReference, type AnyReference, type Ended } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/lives");

interface Node {
  grow: (names: readonly string[]) => ActorReference<Node>[];
  self: () => AnyReference;
  watch: (other: AnyReference) => void;
  unwatch: (other: AnyReference) => void;
  stop: (other: AnyReference) => void;
  wait: () => void;
  waitAndFail: () => never;
  fail: () => never;
}

const family = (notes: string[] = [], pause?: () => Promise<void>): ActorDefinition<Node, string> =>
  actor({
    kind: "node",
    init: (name: string) => name,
    receive: {
      grow: (_name, names: readonly string[], ctx) =>
        names.map((name) => ctx.spawn(family(notes, pause), name, { supervise: [{ do: "stop" }] })),
      self: (_name, _: undefined, ctx): AnyReference => ctx.self,
      watch(_name, other: AnyReference, ctx) {
        ctx.watch(other);
      },
      unwatch(_name, other: AnyReference, ctx) {
        ctx.unwatch(other);
      },
      stop(_name, other: AnyReference, ctx) {
        ctx.stop(other);
      },
      async wait() {
        await new Promise<void>((resolve) => waiters.push(resolve));
      },
      async waitAndFail(): Promise<never> {
        await new Promise<void>((resolve) => waiters.push(resolve));
        throw new Error("broken");
      },
      fail(): never {
        throw new Error("broken");
      },
    },
    watched: (name, { actor: ended, reason }: Ended) => void notes.push(`${name}: ${ended.label} ${reason}`),
    stopped: async (name) => {
      await pause?.();
      notes.push(`${name} stopped`);
    },
  });
const waiters: (() => void)[] = [];
const wakeAll = (): void => {
  for (const wake of waiters.splice(0)) wake();
};

test("children end before their parents, which waits for a stopped that takes a while", async () => {
  const notes: string[] = [];
  const pauses: (() => void)[] = [];
  const under = new NodeUnderTest();
  const top = under.spawn(
    family(notes, () => new Promise<void>((resolve) => pauses.push(resolve))),
    "top",
  );
  const [child] = await under.answer(top.ask("grow", ["child"]));
  assert.ok(child !== undefined);
  await under.answer(child.ask("grow", ["grandchild"]));
  under.stop(top);
  for (const expected of ["grandchild stopped", "child stopped", "top stopped"]) {
    await under.settle();
    assert.is(pauses.length, 1, `before ${expected}`);
    pauses.pop()?.();
    await under.settle();
    assert.is(notes.at(-1), expected);
  }
  assert.is(under.node.size, 0);
});

test("a chain of 100,000 children is made and stopped without a deep stack", async () => {
  const link: ActorDefinition<object, number> = actor({
    init: (left: number, ctx): number => {
      if (left > 0) ctx.spawn(link, left - 1);
      return left;
    },
    receive: { go() {} },
  });
  const under = new NodeUnderTest();
  const top = under.spawn(link, 100_000);
  await under.settle();
  assert.is(under.node.size, 100_001);
  under.stop(top);
  assert.is(under.node.size, 0);
});

test("an actor ends after what it handles now, and one that stopped starts none", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const top = under.spawn(family(notes), "top");
  const [child] = await under.answer(top.ask("grow", ["child"]));
  assert.ok(child !== undefined);
  child.tell("stop", top);
  const grown = child.ask("grow", ["too late"]);
  await failure(() => under.answer(grown), "ACTOR_STOPPED");
  assert.equal(notes, ["child stopped", "top stopped"]);
  const late = actor({
    init: () => 0,
    receive: {
      go(_state, _: undefined, ctx) {
        ctx.stop();
        ctx.spawn(family(), "never");
      },
    },
  });
  const target = under.spawn(late);
  await failure(() => under.answer(target.ask("go")), "ACTOR_STOPPED");
});

test("who watches is told once, whatever the reason, though the actor was gone before", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const top = under.spawn(family(notes), "top");
  const [one, two] = await under.answer(top.ask("grow", ["one", "two"]));
  assert.ok(one !== undefined && two !== undefined);
  for (const each of [one, one, two]) top.tell("watch", each);
  await under.settle();
  under.stop(one);
  two.tell("fail");
  await under.settle();
  const told = ["one stopped", "top: node-2 stopped", "two stopped", "top: node-3 failed"];
  assert.equal(notes.toSorted(), told.toSorted());
  top.tell("watch", one);
  top.tell("watch", two);
  await under.settle();
  assert.equal(notes.slice(-2), ["top: node-2 stopped", "top: node-3 failed"]);
});

test("an end isn't told any more once its watcher unwatches, though it was on its way", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const short = under.spawn(actor({ init: () => 0, receive: { go() {} } }));
  await under.settle();
  const watcher = actor({
    init: () => 0,
    receive: {
      go(_state, unwatches: boolean, ctx) {
        ctx.watch(short);
        ctx.stop(short);
        if (unwatches) ctx.unwatch(short);
      },
    },
    watched: () => void notes.push("told"),
  });
  under.spawn(watcher).tell("go", true);
  await under.settle();
  assert.equal(notes, []);
  under.spawn(watcher).tell("go", false);
  await under.settle();
  assert.equal(notes, ["told"]);
});

test("an actor that is made anew watches nobody, and isn't told of ends from before", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const [watcher, one, other] = ["watcher", "one", "other"].map((name) => under.spawn(family(notes), name));
  assert.ok(watcher !== undefined && one !== undefined && other !== undefined);
  for (const each of [one, other]) watcher.tell("watch", each);
  watcher.tell("waitAndFail");
  await under.settle();
  under.stop(one);
  await under.settle();
  wakeAll();
  await under.settle();
  under.stop(other);
  await under.settle();
  assert.equal(notes, ["one stopped", "watcher stopped", "other stopped"]);
});

test("who can't be told of ends can't watch", async () => {
  const under = new NodeUnderTest();
  const deaf = actor({
    kind: "deaf",
    init: () => 0,
    receive: {
      watch(_state, other: AnyReference, ctx) {
        ctx.watch(other);
      },
    },
  });
  const target = under.spawn(deaf);
  const error = await failure(() => under.answer(target.ask("watch", target)), "ACTOR_INVALID");
  assert.match(error.message, /deaf-1 watches deaf-1, but has no `watched`. Give its definition one/);
});

test("in `stopped` no message is handled, whoever's message ended the actor", async () => {
  const under = new NodeUnderTest();
  const seen: unknown[] = [];
  const child = actor({
    init: () => 0,
    receive: {
      fail(): never {
        throw new Error("broken");
      },
    },
    stopped(_state, ctx) {
      seen.push(ctx.sender);
      for (const method of ["stash", "deferred"] as const) {
        try {
          ctx[method]();
          seen.push(method);
        } catch (error) {
          seen.push((error as Error).message.includes(`calls ctx.${method}() while it handles no message`));
        }
      }
    },
  });
  const top = actor({
    init: (_: undefined, ctx) => ctx.spawn(child),
    receive: {
      stop: (own, _: undefined, ctx) => ctx.stop(own),
      fail: (own) => own.tell("fail"),
    },
  });
  const teller = actor({
    init: () => 0,
    receive: {
      go(_state, { to, name }: { readonly to: AnyReference; readonly name: string }) {
        to.tell(name as never);
      },
    },
  });
  for (const name of ["fail", "stop"]) {
    const target = under.spawn(top);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await under.settle();
    under.spawn(teller).tell("go", { to: target, name });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await under.settle();
    assert.equal(seen.splice(0), [undefined, true, true], name);
  }
});

test("a node that is closed ends all of its actors, those at work after what they handle", async () => {
  const [notes, under] = [[] as string[], new NodeUnderTest()];
  const all = ["a", "b", "c"].map((name) => under.spawn(family(notes), name));
  await under.settle();
  all[1]?.tell("wait");
  await under.settle();
  all[0]?.tell("wait");
  under.node.close();
  assert.is(under.node.size, 1 + 2);
  await under.settle();
  assert.is(under.node.size, 1);
  assert.equal(under.deadLetters, ["wait stopped"]);
  let isEmptied = false;
  const emptied = under.node.emptied(1000).then(() => (isEmptied = true));
  await under.settle();
  assert.is(isEmptied, false);
  wakeAll();
  await emptied;
  assert.is(under.node.size, 0);
  assert.equal(notes, ["c stopped", "a stopped", "b stopped"]);
});

test("a node doesn't wait longer for its actors than it is told", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(family(), "a");
  target.tell("wait");
  await under.settle();
  under.node.close();
  const emptied = under.node.emptied(100);
  await under.pass(100);
  await emptied;
  assert.is(under.node.size, 1);
  wakeAll();
});

test("what a listener throws is its own error, and no actor's", async () => {
  const event = (): never => {
    throw new Error("the listener's");
  };
  const under = new NodeUnderTest({ event });
  const target = under.spawn(family(), "a");
  target.tell("fail");
  target.tell("grow", []);
  await under.settle();
  assert.throws(() => under.clock.next(0), /the listener's/);
  assert.is((await under.answer(target.ask("grow", ["b"]))).length, 1);
});

test.run();
