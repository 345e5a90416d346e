// What becomes of an actor whose handler throws: by rules, limits and waits, on a clock that stands still.
import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  actor,
  QStreamError,
  type ActorDefinition,
  type ActorReference,
  type AnyReference,
  type Supervision,
} from "../../../lib/index.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/supervision");

interface Fragile {
  add: () => number;
  get: () => number;
  fail: (error: unknown) => never;
  failLater: (error: unknown) => never;
  spawn: (supervise: Supervision) => ActorReference<Fragile>;
  watch: (other: AnyReference) => void;
}

/** Fails as it is told, and notes what becomes of it. */
const fragile = (notes: string[] = []): ActorDefinition<Fragile, number> =>
  actor({
    kind: "fragile",
    init: (fails: number, ctx) => {
      notes.push(`init ${ctx.restarts}`);
      if (ctx.restarts < fails) throw new Error("init");
      return { count: 0 };
    },
    receive: {
      add: (state) => ++state.count,
      get: (state) => state.count,
      fail(state, error: unknown): never {
        state.count++;
        throw error;
      },
      async failLater(_state, error: unknown): Promise<never> {
        await Promise.resolve();
        throw error;
      },
      spawn: (_state, supervise: Supervision, ctx) => ctx.spawn(fragile(notes), 0, { supervise }),
      watch(_state, other: AnyReference, ctx) {
        ctx.watch(other);
      },
    },
    watched() {
      notes.push("watched");
      throw new Error("watched");
    },
    stopped({ count }) {
      notes.push(`stopped ${count}`);
    },
  });

test("a failed actor has a new state, and what waits in its mailbox is handled", async () => {
  const [under, notes] = [new NodeUnderTest(), [] as string[]];
  const target = under.spawn(fragile(notes), 0);
  target.tell("add");
  target.tell("fail", new Error("broken"));
  target.tell("add");
  assert.is(await under.answer(target.ask("get")), 1);
  assert.equal(notes, ["init 0", "stopped 2", "init 1"]);
  assert.equal(under.actions, ["restart"]);
});

test("the first rule that is for an error says what is done", async () => {
  const supervise: Supervision = [
    { on: RangeError, do: "resume" },
    { on: "LIMIT_EXCEEDED", do: "restart" },
    { on: { matches: (error) => error instanceof Error && error.message === "enough" }, do: "stop" },
    { on: TypeError, do: "escalate" },
    { do: "restart" },
  ];
  const cases: readonly [unknown, string, number | undefined][] = [
    [new RangeError("a"), "resume", 1],
    [new QStreamError("LIMIT_EXCEEDED", "a"), "restart", 0],
    [new QStreamError("OPTION_INVALID", "a"), "restart", 0],
    [new Error("enough"), "stop", undefined],
    [new TypeError("a"), "escalate", undefined],
    ["no error", "restart", 0],
  ];
  for (const [thrown, action, count] of cases) {
    for (const name of ["fail", "failLater"] as const) {
      const under = new NodeUnderTest();
      const target = under.spawn(fragile(), 0, { supervise });
      const error = await under.answer(target.ask(name, thrown)).catch((caught: Error) => caught);
      assert.is((error as Error).message, thrown instanceof Error ? thrown.message : "no error");
      assert.equal(under.actions, [action], String(thrown));
      const left = await under.answer(target.ask("get")).catch(() => undefined);
      assert.is(left, name === "failLater" && count === 1 ? 0 : count, `${String(thrown)} in ${name}`);
    }
  }
});

test("an actor that fails too often within a time is stopped, and who watches is told why", async () => {
  const under = new NodeUnderTest();
  const supervise: Supervision = [{ do: "restart", limit: { restarts: 2, withinMs: 1000 } }];
  const target = under.spawn(fragile(), 0, { supervise });
  const fail = async (): Promise<void> => {
    target.tell("fail", new Error("broken"));
    await under.settle();
  };
  await fail();
  await under.pass(600);
  await fail();
  await under.pass(600);
  await fail();
  assert.equal(under.actions, ["restart", "restart", "restart"]);
  await fail();
  assert.equal(under.actions.slice(3), ["stop"]);
  assert.is(under.node.size, 0);
});

test("waits before restarts grow, and begin anew once it has worked for as long as the longest", async () => {
  const [under, notes] = [new NodeUnderTest(), [] as string[]];
  const supervise: Supervision = [{ do: "restart", backoff: { firstMs: 100, factor: 2, maxMs: 500 } }];
  const target = under.spawn(fragile(notes), 0, { supervise });
  const waited = async (): Promise<number> => {
    target.tell("fail", new Error("broken"));
    await under.settle();
    const before = [notes.length, under.clock.monotonic()] as const;
    while (notes.length === before[0]) await under.pass(10);
    return under.clock.monotonic() - before[1];
  };
  assert.equal([await waited(), await waited(), await waited(), await waited()], [100, 200, 400, 500]);
  assert.equal([await waited(), await waited()], [500, 500]);
  await under.pass(500);
  assert.is(await waited(), 100);
});

test("an actor that waits before a restart takes no message, and can be stopped", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(fragile(), 0, { supervise: [{ do: "restart", backoff: { firstMs: 100 } }] });
  target.tell("fail", new Error("broken"));
  target.tell("add");
  await under.pass(50);
  assert.equal(under.deadLetters, []);
  under.stop(target);
  await under.pass(100);
  assert.equal(under.deadLetters, ["add stopped"]);
  assert.is(under.node.size, 0);
});

test("an error in init is supervised like any other, and there is no state to go on with", async () => {
  for (const action of ["restart", "resume"] as const) {
    const [under, notes] = [new NodeUnderTest(), [] as string[]];
    const target = under.spawn(fragile(notes), 2, { supervise: [{ do: action }] });
    assert.is(await under.answer(target.ask("get")), 0);
    assert.equal(notes, ["init 0", "init 1", "init 2"]);
    assert.equal(under.actions, ["restart", "restart"]);
  }
});

test("a state that couldn't be made isn't freed, and its actor is given up after ten tries", async () => {
  const [under, notes] = [new NodeUnderTest(), [] as string[]];
  const target = under.spawn(fragile(notes), 100);
  target.tell("add");
  await under.settle();
  assert.is(notes.length, 11);
  assert.ok(notes.every((note) => note.startsWith("init")));
  assert.equal(under.deadLetters, ["add stopped"]);
});

test("an error in watched is supervised, and an error in stopped is told", async () => {
  const [under, notes] = [new NodeUnderTest(), [] as string[]];
  const [watcher, other] = [under.spawn(fragile(notes), 0), under.spawn(fragile(), 0)];
  watcher.tell("watch", other);
  await under.settle();
  under.stop(other);
  await under.settle();
  assert.ok(notes.includes("watched"));
  assert.equal(under.actions, ["restart"]);
  const broken = actor({ init: () => 0, receive: { go() {} }, stopped: () => Promise.reject(new Error("stopped")) });
  const target = under.spawn(broken);
  await under.settle();
  under.stop(target);
  await under.settle();
  assert.equal(under.actions, ["restart", "stop"]);
  assert.is(under.node.size, 1);
});

test("a failure that is escalated is the parent's, whose supervision says what is done", async () => {
  const [under, notes] = [new NodeUnderTest(), [] as string[]];
  const top = under.spawn(fragile(notes), 0);
  const middle = await under.answer(top.ask("spawn", [{ do: "escalate" }]));
  const child = await under.answer(middle.ask("spawn", [{ on: RangeError, do: "escalate" }]));
  child.tell("fail", new RangeError("broken"));
  await under.settle();
  assert.equal(under.actions, ["escalate", "escalate", "restart"]);
  const failures = under.events.flatMap((event) => (event.kind === "actor-failed" ? [event.error] : []));
  assert.is(failures[2]?.message, "fragile-2, a child of fragile-1, failed: broken");
  assert.is(failures[1]?.cause, failures[0]);
  assert.is(failures[2]?.cause, failures[0]);
  assert.equal(notes.slice(3), ["stopped 1", "stopped 0", "stopped 0", "init 1"]);
  assert.is(under.node.size, 1);
});

test("a failure is escalated to a parent that waits for something once its handler is done", async () => {
  const under = new NodeUnderTest();
  let open: (() => void) | undefined;
  const notes: string[] = [];
  const parent = actor({
    kind: "parent",
    init: (_: undefined, ctx) => ({ child: ctx.spawn(fragile(), 0, { supervise: [{ do: "escalate" }] }) }),
    receive: {
      async work({ child }) {
        child.tell("fail", new Error("broken"));
        await new Promise<void>((resolve) => (open = resolve));
        notes.push("worked");
      },
      restarts: (_state, _: undefined, ctx) => ctx.restarts,
    },
  });
  const target = under.spawn(parent, undefined);
  target.tell("work");
  await under.settle();
  assert.equal(under.actions, ["escalate"]);
  open?.();
  assert.is(await under.answer(target.ask("restarts")), 1);
  assert.equal(notes, ["worked"]);
});

test("a chain of 30,000 that all escalate ends without a deep stack", async () => {
  const under = new NodeUnderTest();
  const link: ActorDefinition<object, number> = actor({
    init: (left: number, ctx): number => {
      if (left > 0) ctx.spawn(link, left - 1);
      else ctx.after(1, "fail");
      return left;
    },
    receive: {
      fail(): never {
        throw new Error("broken");
      },
    },
    supervise: [{ do: "escalate" }],
  });
  under.spawn(link, 30_000);
  await under.pass(5);
  assert.is(under.node.size, 0);
  assert.is(under.actions.length, 30_001);
});

test("a rule that throws stops its actor and says so", async () => {
  const under = new NodeUnderTest();
  const matches = (): never => {
    throw new Error("no idea");
  };
  const target = under.spawn(fragile(), 0, { supervise: [{ on: { matches }, do: "resume" }] });
  target.tell("fail", new Error("broken"));
  await under.settle();
  assert.equal(under.actions, ["stop"]);
  const [event] = under.events;
  assert.ok(
    event?.kind === "actor-failed" && /a supervision rule of fragile-1 threw: no idea/.test(event.error.message),
  );
});

test("children of an actor that is restarted have ended before its state is made anew", async () => {
  const under = new NodeUnderTest();
  const notes: string[] = [];
  let open: (() => void) | undefined;
  const child = actor({
    init: () => 0,
    receive: {
      async work() {
        await new Promise<void>((resolve) => (open = resolve));
      },
    },
    stopped: () => void notes.push("child stopped"),
  });
  const parent = actor({
    init: (_: undefined, ctx) => {
      notes.push("parent starts");
      return ctx.spawn(child, undefined, { name: "the child" });
    },
    receive: {
      fail(child): never {
        child.tell("work");
        throw new Error("broken");
      },
      work(child) {
        child.tell("work");
      },
    },
  });
  const target = under.spawn(parent, undefined);
  target.tell("work");
  await under.settle();
  target.tell("fail");
  await under.settle();
  assert.equal(notes, ["parent starts"]);
  open?.();
  await under.settle();
  assert.equal(notes, ["parent starts", "child stopped", "parent starts"]);
});

test("restarts are counted as a plain window counts them", async () => {
  const gap = fc.integer({ min: 0, max: 4 }).map((hundreds) => hundreds * 100);
  await fc.assert(
    fc.asyncProperty(fc.array(gap, { maxLength: 12 }), fc.integer({ min: 0, max: 3 }), async (gaps, restarts) => {
      const under = new NodeUnderTest();
      const target = under.spawn(fragile(), 0, { supervise: [{ do: "restart", limit: { restarts, withinMs: 500 } }] });
      const times: number[] = [];
      let isAlive = true;
      let expected = 0;
      for (const ms of gaps) {
        await under.pass(ms);
        target.tell("fail", new Error("broken"));
        await under.settle();
        if (!isAlive) continue;
        const now = under.clock.monotonic();
        isAlive = times.filter((time) => time > now - 500).length < restarts;
        if (isAlive) expected++;
        times.push(now);
      }
      assert.is(under.node.metrics.restarted, expected);
      assert.is(under.node.size, isAlive ? 1 : 0);
    }),
    { numRuns: 60 },
  );
});

test.run();
