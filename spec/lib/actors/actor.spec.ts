// What a definition, and what actors are spawned and asked with, may be.
import * as assert from "uvu/assert";
import { actor, defineActors, startActors, type ActorDefinition } from "../../../lib/index.ts";
import { counter } from "../../contract/actor-kinds.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("lib/actors/actor");

const good = { kind: "good", init: () => 0, receive: { go() {} } };

test("a definition that can't work is refused, and the message says why", async () => {
  const cases: readonly [object, "ACTOR_INVALID" | "OPTION_INVALID", RegExp][] = [
    [{ init: undefined }, "ACTOR_INVALID", /"good" has no `init`. Give it what makes its state/],
    [{ receive: undefined }, "ACTOR_INVALID", /has no handlers in its receive/],
    [{ receive: {} }, "ACTOR_INVALID", /has no handlers. Name its messages/],
    [{ receive: { go: 5 } }, "ACTOR_INVALID", /no function for "go" in its receive. A handler is a function of/],
    [{ modes: { open: { go: 5 } } }, "ACTOR_INVALID", /no function for "go" in its mode "open"/],
    [{ modes: { open: undefined } }, "ACTOR_INVALID", /no handlers in its mode "open"/],
    [{ kind: "" }, "ACTOR_INVALID", /`kind` has 1 to 100 characters/],
    [{ watched: 5 }, "ACTOR_INVALID", /a `watched` that is no function/],
    [{ passivateMs: 0 }, "ACTOR_INVALID", /passivated after 0 ms/],
    [{ recieve: {} }, "OPTION_INVALID", /the actor "good" has no option "recieve". Did you mean "receive"\?/],
    [{ mailbox: { limit: 0 } }, "OPTION_INVALID", /mailbox.limit of the actor "good" is 0: it takes a whole number/],
    [{ mailbox: { full: "block" } }, "OPTION_INVALID", /mailbox.full .* is "block": it takes "wait", "drop" or "fail"/],
    [{ mailbox: { size: 5 } }, "OPTION_INVALID", /the mailbox of the actor "good" has no option "size"/],
    [{ durable: { snapshots: 5 } }, "OPTION_INVALID", /`durable` of the actor "good" has no option "snapshots"/],
    [{ durable: "yes" }, "ACTOR_INVALID", /"good" has a `durable` that can't be. Give it true, or/],
    [{ durable: null }, "ACTOR_INVALID", /has a `durable` that can't be/],
    [{ durable: { migrate: 1 } }, "ACTOR_INVALID", /has a `migrate` that is no function/],
  ];
  for (const [wrong, code, message] of cases) {
    const error = await failure(() => actor({ ...good, ...wrong } as never), code);
    assert.match(error.message, message);
  }
});

test("a supervision rule that can't be is refused", async () => {
  const cases: readonly [unknown, RegExp][] = [
    [{ do: "restart" }, /supervise of the actor "good" is {"do":"restart"}: it takes a list of rules/],
    [[{ do: "retry" }], /supervise\[0\].do .* is "retry": it takes "restart", "resume"/],
    [[{}], /supervise\[0\].do of the actor "good" is undefined/],
    [[{ on: 5, do: "stop" }], /supervise\[0\].on .* is 5: it takes a class of errors/],
    [[{ do: "stop" }, { on: Error, do: "resume" }], /has rules after supervise\[0\], which is for every error/],
    [[{ do: "stop", limit: { restarts: 1, withinMs: 1 } }], /limits restarts, but does "stop"/],
    [[{ do: "restart", limit: { restarts: -1, withinMs: 1 } }], /restarts .* is -1/],
    [[{ do: "restart", limit: { restarts: 1, withinMs: 0 } }], /withinMs .* is 0/],
    [[{ do: "restart", limit: { restart: 1 } }], /Did you mean "restarts"\?/],
    [[{ do: "restart", backoff: { firstMs: 0 } }], /firstMs .* is 0/],
    [[{ do: "restart", backoff: { firstMs: 1, factor: 0.5 } }], /factor .* is 0.5/],
    [[{ do: "restart", backoff: { firstMs: 10, maxMs: 5 } }], /maxMs .* is 5/],
    [[{ do: "restart", backoff: { firstMs: Number.NaN } }], /firstMs .* is NaN/],
  ];
  for (const [supervise, message] of cases) {
    assert.match((await failure(() => actor({ ...good, supervise } as never), "OPTION_INVALID")).message, message);
  }
});

test("options of spawn, ask, stop and startActors are looked at", async () => {
  const under = new NodeUnderTest();
  const spawn = (options: object): unknown => under.spawn(counter, 1, options);
  const cases: readonly [object, RegExp][] = [
    [{ nmae: "ann" }, /spawn\(\) of counter has no option "nmae". Did you mean "name"\?/],
    [{ name: "" }, /name of spawn\(\) of counter is "": a name has 1 to 256 characters/],
    [{ mailbox: { limit: 1.5 } }, /mailbox.limit .* is 1.5/],
    [{ supervise: [{ do: "nothing" }] }, /supervise\[0\].do/],
    [{ place: "gpu" }, /place of spawn\(\) of counter is 'gpu'\. Give it one of a function: single\(\)/],
    [{ place: 5 }, /place of .* is 5/],
    [{ place: null }, /place of .* is null/],
    [{ place: { kind: "taged", tag: "x" } }, /place of .* is { kind: 'taged', tag: 'x' }/],
    [{ place: { kind: 1n } }, /place of .* is { kind: 1n }/],
    [{ place: { kind: "tagged", tag: "" } }, /place of .* has no tag/],
    [{ place: { kind: "near" } }, /place of .* is near no actor/],
  ];
  for (const [options, message] of cases) {
    assert.match((await failure(() => spawn(options), "OPTION_INVALID")).message, message);
  }
  const target = under.spawn(counter, 1);
  for (const options of [
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeoutMs: 2 ** 31 },
    { timeout: 5 },
    { signal: 5 },
  ]) {
    await failure(() => target.ask("get", undefined, options as never), "OPTION_INVALID");
  }
  await failure(() => under.node.stop(target, { aftermail: true } as never), "OPTION_INVALID");
  for (const place of [
    { kind: "near", actor: target },
    { kind: "spread", channels: 1 },
    { kind: "tagged", tag: "x" },
  ]) {
    spawn({ place });
  }
  for (const options of [{ seeds: 1 }, { seed: 1.5 }, { onEvent: 5 }, { kinds: [counter] }]) {
    await failure(() => startActors(options as never), "OPTION_INVALID");
  }
});

test("what isn't true or false is refused where a system is asked to let others look at it", async () => {
  const module = defineActors(import.meta.url, { counter });
  const { message } = await failure(() => module.start({ attachable: "yes" as never }), "OPTION_INVALID");
  assert.match(message, /`attachable` of start\(\) is neither true nor false/u);
});

test("what isn't made by `actor` can't be spawned", async () => {
  const under = new NodeUnderTest();
  for (const wrong of [{}, undefined, { kind: "a", receive: {} }, class {}]) {
    await failure(() => under.spawn(wrong as unknown as ActorDefinition<object, void>), "ACTOR_INVALID");
  }
});

test("no message is taken for what every object has", async () => {
  const under = new NodeUnderTest();
  const target = under.spawn(actor(good)) as unknown as { ask: (name: string) => Promise<unknown> };
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    await failure(() => under.answer(target.ask(name)), "MESSAGE_UNHANDLED");
  }
});

test.run();
