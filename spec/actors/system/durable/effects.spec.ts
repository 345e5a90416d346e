// What a step of a durable actor does to others, where that fails.
import * as assert from "uvu/assert";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { mailServices } from "../../../../actors/system/durable/distant-mail.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import type { AnyReference } from "../../../../lib/core/contracts/actor.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf, KeptSystem } from "./kept-system.ts";

const test = suite("effects of durable actors");

const listener = actor({
  kind: "listener",
  durable: { snapshotEvery: 1 },
  init: (_key: string) => ({ words: [] as string[] }),
  receive: {
    listen(_state, as: string, ctx) {
      ctx.subscribe("news", as);
    },
    publish(_state, word: string, ctx) {
      ctx.publish("news", word);
    },
    stopBadly(_state, _none: undefined, ctx) {
      ctx.stop(undefined, { afterMial: true } as never);
    },
    stopStranger(_state, stranger: AnyReference, ctx) {
      ctx.stop(stranger);
    },
    hear: ({ words }, word: string) => void words.push(word),
    words: ({ words }) => words,
  },
});

test("who subscribes without a handler is refused, and none the worse for it, nor after a loss", async () => {
  let system = new KeptSystem();
  const ann = system.entity(listener, "ann");
  assert.is(await codeOf(() => system.ask(ann, "listen", "haer")), "ACTOR_INVALID");
  await system.ask(ann, "listen", "hear");
  await system.ask(ann, "publish", "one");
  assert.equal(await system.ask(ann, "words"), ["one"]);
  system = system.crash();
  assert.equal(await system.ask(system.entity(listener, "ann"), "words"), ["one"]);
});

test("an order to stop that can't be followed is refused where it is given", async () => {
  const system = new KeptSystem();
  const ann = system.entity(listener, "ann");
  assert.is(await codeOf(() => system.ask(ann, "stopBadly")), "OPTION_INVALID");
  assert.is(await codeOf(() => system.ask(ann, "stopStranger", {})), "OPTION_INVALID");
  assert.equal(await system.ask(ann, "words"), []);
});

test("an effect that fails is told of, what comes behind it leaves, and all actors go on", async () => {
  const system = new KeptSystem();
  const [ann, bob] = [system.entity(listener, "ann"), system.entity(listener, "bob")];
  const { topics } = system.node;
  const publish = topics.publish.bind(topics);
  topics.publish = () => {
    throw new Error("nobody listens");
  };
  assert.is(await system.ask(ann, "publish", "lost"), undefined);
  assert.equal(
    system.events.map((event) => (event.kind === "actor-failed" ? [event.actor, event.error.message] : [event.kind])),
    [["listener/ann", "nobody listens"]],
  );
  topics.publish = publish;
  for (const each of [ann, bob]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await system.ask(each, "listen", "hear");
  }
  await system.ask(bob, "publish", "again");
  assert.equal(await system.ask(ann, "words"), ["again"]);
  await system.close();
});

test("a topic for which the program has no handler any more doesn't keep an actor from coming back", async () => {
  const journal = new MemoryJournal();
  let system = new KeptSystem(journal);
  await system.ask(system.entity(listener, "ann"), "listen", "hear");
  await system.close();
  const changed = actor({
    kind: "listener",
    durable: true,
    init: (_key: string) => ({ words: [] as string[] }),
    receive: { words: ({ words }) => words },
  });
  system = new KeptSystem(journal, 2);
  assert.equal(await system.ask(system.entity(changed, "ann"), "words"), []);
  const [told] = system.events;
  assert.ok(told?.kind === "actor-failed" && told.action === "resume");
  assert.match(told.error.message, /listener\/ann subscribes to "news" as "hear", for which it has no handler/);
});

test("mail to an actor that turns out not to be durable is a dead letter where it has no room, and isn't sent again", async () => {
  const system = new KeptSystem();
  const plain = actor({
    kind: "plain",
    init: (_key: string) => 0,
    receive: { wait: () => new Promise<void>(() => {}) },
    mailbox: { limit: 1, full: "fail" },
  });
  const to = system.entity(plain, "x") as never;
  const from = system.entity(listener, "elsewhere") as never;
  const receive = mailServices(() => system.durable)["durable-mail"];
  for (let number = 1; number <= 4; number++) {
    receive?.({ to, from, number, name: "wait", payload: undefined } as never, 2);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await system.settle();
  }
  const why = system.events.map((event) => (event.kind === "dead-letter" ? `${event.to} ${event.why}` : event.kind));
  assert.equal(why, ["plain/x mailbox-full", "plain/x mailbox-full"]);
  assert.is(system.node.metrics.dropped, 2);
});

test.run();
