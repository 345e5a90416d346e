import * as assert from "uvu/assert";
import { startActors } from "../../../../lib/actors/actor-system.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import type { ActorContext, ActorReference } from "../../../../lib/core/contracts/actor.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf, KeptSystem, type Anything } from "./kept-system.ts";

const test = suite("what durable actors can't do");

const other = actor({ kind: "other", init: (_key: string) => 0, receive: { get: () => 1 } });

/** Each with what it tries in its handler. */
const tries: Record<string, (ctx: ActorContext, sender: ActorReference<Anything>) => unknown> = {
  ask: (ctx) => ctx.entity(other, "a").ask("get"),
  watch: (ctx) => ctx.watch(ctx.self),
  spawn: (ctx) => ctx.spawn(other, "x"),
  find: (ctx) => ctx.find("x"),
  deferred: (ctx) => ctx.deferred(),
  forward: (ctx) => ctx.forward(ctx.entity(other, "a")),
  "wait for a promise": () => Promise.resolve(1),
};

for (const [what, action] of Object.entries(tries)) {
  test(`in a handler it can't ${what}, and is told what to do instead`, async () => {
    const trying = actor({
      kind: "trying",
      durable: true,
      init: (_key: string) => ({ count: 0 }),
      receive: {
        go(state, _none: undefined, ctx) {
          state.count++;
          return action(ctx, ctx.self as ActorReference<Anything>) as number;
        },
        get: ({ count }) => count,
      },
    });
    const system = new KeptSystem();
    const reference = system.entity(trying, "a");
    assert.is(await codeOf(() => system.ask(reference, "go")), "ACTOR_INVALID");
    assert.is(await system.ask(reference, "get"), 0);
  });
}

test("definitions that can't be durable are refused when they are used", async () => {
  const system = new KeptSystem();
  const receive = { get: () => 1 };
  const init = (_key: string): number => 0;
  const invalid = {
    "asynchronous handlers": () => actor({ kind: "a1", durable: true, init, receive: { get: async () => 1 } }),
    "an asynchronous init": () => actor({ kind: "a2", durable: true, init: async (_key: string) => 0, receive }),
    "a slash in its name": () => actor({ kind: "a/3", durable: true, init, receive }),
    "a snapshot after every half message": () => actor({ kind: "a4", durable: { snapshotEvery: 0.5 }, init, receive }),
    "version 0": () => actor({ kind: "a5", durable: { version: 0 }, init, receive }),
    "no kind of its own": () => actor({ durable: true, init, receive }),
    "`watched`": () => actor({ kind: "a6", durable: true, init, receive, watched: () => {} }),
  };
  for (const [what, definition] of Object.entries(invalid)) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    assert.is(await codeOf(() => system.entity(definition(), "x")), "ACTOR_INVALID", what);
  }
  const durable = actor({ kind: "a7", durable: true, init, receive });
  assert.is(await codeOf(() => system.spawn(durable, "x")), "ACTOR_INVALID", "no name");
  assert.is(await codeOf(() => system.entity(durable, "\ud800")), "OPTION_INVALID", "half a character");
  assert.is(await codeOf(() => system.entity(durable, "\u{1f600}")), "none");
  assert.is(await codeOf(() => system.spawn(durable, "x", { name: "x", mailbox: { limit: 1 } })), "ACTOR_INVALID");
});

test("without a store there are none", async () => {
  const durable = actor({ kind: "durable", durable: true, init: (_key: string) => 0, receive: { get: () => 1 } });
  await using system = startActors();
  assert.is(await codeOf(() => system.entity(durable, "a").ask("get")), "ACTOR_INVALID");
  assert.is(await codeOf(() => startActors({ store: "nothing" })), "OPTION_INVALID");
  const nameless = actor({ durable: true, init: (_key: string) => 0, receive: { get: () => 1 } });
  await using named = startActors({ store: "memory" });
  assert.is(await codeOf(() => named.entity(nameless, "a")), "ACTOR_INVALID");
});

test.run();
