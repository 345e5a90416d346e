import * as assert from "uvu/assert";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf, KeptSystem } from "./kept-system.ts";

const test = suite("timers of durable actors, and mail between them");

const alarm = actor({
  kind: "alarm",
  durable: { snapshotEvery: 4 },
  passivateMs: 1000,
  init: (_key: string) => ({ rings: [] as number[], timer: 0 as number }),
  receive: {
    set(state, ms: number, ctx) {
      state.timer = ctx.after(ms, "ring");
    },
    repeat(state, ms: number, ctx) {
      state.timer = ctx.every(ms, "ring");
    },
    cancel: (state, _none: undefined, ctx) => ctx.cancel(state.timer),
    ring: ({ rings }, _none: undefined, ctx) => void rings.push(ctx.now()),
    rings: ({ rings }) => rings,
    stop: (_state, _none: undefined, ctx) => ctx.stop(),
    wrong: (_state, _none: undefined, ctx) => ctx.after(1, "nothing"),
    badly: (_state, _none: undefined, ctx) => ctx.after(Number.NaN, "ring"),
  },
});

test("a timer goes off once, when it is due or as soon as its actor is back", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(alarm, "a"), "set", 1000);
  await system.ask(system.entity(alarm, "b"), "set", 5000);
  await system.advance(400);
  system = system.crash();
  system.durable.derive(alarm as never);
  await system.advance(500);
  assert.equal(await system.ask(system.entity(alarm, "a"), "rings"), []);
  await system.advance(200);
  assert.equal(await system.ask(system.entity(alarm, "a"), "rings"), [1_001_000]);
  system.clock.time += 10_000;
  system = system.crash();
  system.durable.derive(alarm as never);
  await system.settle();
  await system.advance(1);
  assert.is((await system.ask(system.entity(alarm, "b"), "rings")).length, 1);
  await system.advance(2000);
  assert.is((await system.ask(system.entity(alarm, "a"), "rings")).length, 1);
});

test("one that was cancelled doesn't, nor after a loss; one that repeats itself goes on", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(alarm, "a"), "set", 1000);
  assert.is(await system.ask(system.entity(alarm, "a"), "cancel"), true);
  assert.is(await system.ask(system.entity(alarm, "a"), "cancel"), false);
  await system.ask(system.entity(alarm, "b"), "repeat", 300);
  await system.advance(1000);
  system = system.crash();
  system.durable.derive(alarm as never);
  await system.advance(1000);
  assert.equal(await system.ask(system.entity(alarm, "a"), "rings"), []);
  const rings = await system.ask(system.entity(alarm, "b"), "rings");
  assert.ok(rings.length >= 5 && rings.length <= 7, String(rings.length));
});

test("an actor that was put away comes back for its timer, also after a loss", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(alarm, "a"), "set", 3000);
  await system.ask(system.entity(alarm, "a"), "stop");
  assert.is(system.node.size, 0);
  await system.advance(1000);
  assert.is(system.node.size, 0);
  await system.advance(2100);
  assert.is(system.node.size, 1);
  assert.is((await system.ask(system.entity(alarm, "a"), "rings")).length, 1);
  await system.ask(system.entity(alarm, "a"), "set", 3000);
  await system.ask(system.entity(alarm, "a"), "stop");
  system = system.crash();
  system.durable.derive(alarm as never);
  await system.advance(3100);
  assert.is((await system.ask(system.entity(alarm, "a"), "rings")).length, 2);
});

test("one that has nothing to do is passivated, and has its state when it is back", async () => {
  const system = new KeptSystem();
  await system.ask(system.entity(alarm, "a"), "set", 10);
  await system.advance(100);
  assert.is(system.node.size, 1);
  await system.advance(3000);
  assert.is(system.node.size, 0);
  assert.is((await system.ask(system.entity(alarm, "a"), "rings")).length, 1);
});

test("a timer that can't be is refused", async () => {
  const system = new KeptSystem();
  assert.is(await codeOf(() => system.ask(system.entity(alarm, "a"), "wrong")), "ACTOR_INVALID");
  assert.is(await codeOf(() => system.ask(system.entity(alarm, "a"), "badly")), "OPTION_INVALID");
});

const counting = { init: (_key: string) => ({ got: [] as number[] }), durable: true } as const;
const receive = {
  add: ({ got }: { readonly got: number[] }, number: number) => void got.push(number),
  got: ({ got }: { readonly got: number[] }) => got,
};
const narrow = actor({ ...counting, kind: "narrow", receive, mailbox: { limit: 3, full: "drop" } });
const plain = actor({ kind: "plain", init: counting.init, receive });
const strict = actor({ ...counting, kind: "strict", receive, mailbox: { limit: 3, full: "fail" } });
const sender = actor({
  kind: "sender",
  durable: { snapshotEvery: 1 },
  init: (_key: string) => ({ sent: 0 }),
  receive: {
    send(
      state,
      { to, count }: { readonly to: "narrow" | "strict" | "plain" | "stranger"; readonly count: number },
      ctx,
    ) {
      const definition = { narrow, strict, plain, stranger }[to];
      for (let left = count; left > 0; left--) ctx.entity(definition as typeof narrow, "x").tell("add", ++state.sent);
    },
  },
});
/** Has no handler for what it is sent. */
const stranger = actor({ ...counting, kind: "stranger", receive: { got: receive.got } });

for (const to of ["narrow", "strict"] as const) {
  test(`a mailbox that is full loses nothing of what a durable actor sent: ${to}`, async () => {
    let system = new KeptSystem();
    await system.ask(system.entity(sender, "s"), "send", { to, count: 10 });
    await system.advance(30_000);
    const first = Array.from({ length: 10 }, (_, index) => index + 1);
    assert.equal(await system.ask(system.entity({ narrow, strict }[to], "x"), "got"), first);
    system = system.crash();
    await system.ask(system.entity(sender, "s"), "send", { to, count: 2 });
    await system.advance(30_000);
    assert.equal(await system.ask(system.entity({ narrow, strict }[to], "x"), "got"), [...first, 11, 12]);
  });
}

test("what has no handler is a dead letter once, and isn't sent again", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(sender, "s"), "send", { to: "stranger", count: 1 });
  await system.advance(60_000);
  assert.equal(system.events, [{ kind: "dead-letter", to: "stranger/x", message: "add", why: "no-handler" }]);
  system = system.crash();
  system.durable.derive(sender as never);
  system.durable.derive(stranger as never);
  await system.advance(60_000);
  assert.equal(system.events, []);
});

test("mail for a kind that nobody has used yet waits for it", async () => {
  const journal = new MemoryJournal();
  const append = journal.append.bind(journal);
  let isLost = false;
  // The receiver's record never comes to be: memory is lost first.
  journal.append = (entries) => {
    return isLost || entries.some(({ actor: name }) => name.startsWith("narrow/"))
      ? new Promise(() => {})
      : append(entries);
  };
  let system = new KeptSystem(journal);
  await system.ask(system.entity(sender, "s"), "send", { to: "narrow", count: 2 });
  isLost = true;
  await system.settle();
  system.clock.stop();
  journal.append = append;
  system = new KeptSystem(journal, 2, 2_000_000);
  system.durable.derive(sender as never);
  await system.advance(5000);
  assert.is(system.node.size, 1);
  system.durable.derive(narrow as never);
  await system.settle();
  assert.equal(await system.ask(system.entity(narrow, "x"), "got"), [1, 2]);
});

test("an entity that isn't durable gets what a durable actor sends once at most, and not again after a loss", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(sender, "s"), "send", { to: "plain", count: 2 });
  assert.equal(await system.ask(system.entity(plain, "x"), "got"), [1, 2]);
  system = system.crash();
  await system.ask(system.entity(sender, "s"), "send", { to: "plain", count: 1 });
  assert.equal(await system.ask(system.entity(plain, "x"), "got"), [3]);
});

test("while the store is away actors wait for it, and who watches is told", async () => {
  const journal = new MemoryJournal();
  let away = 5;
  const append = journal.append.bind(journal);
  journal.append = async (entries) => {
    if (away-- > 0) throw new QStreamError("STORE_UNAVAILABLE", "it is away");
    return append(entries);
  };
  const system = new KeptSystem(journal);
  const asked = system
    .entity(narrow, "x")
    .ask("add", 1, { timeoutMs: Infinity })
    .then(() => "done");
  await system.settle();
  assert.equal(
    system.events.map(({ kind }) => kind),
    ["store-away"],
  );
  await system.advance(5000);
  assert.is(await asked, "done");
  assert.ok(away < 0);
});

test("a store that refuses ends the actor: what it did is void, and who asked is told why", async () => {
  const journal = new MemoryJournal();
  let isRefused = true;
  const append = journal.append.bind(journal);
  journal.append = async (entries) => {
    if (isRefused) throw new QStreamError("STORE_REFUSED", "it has no memory left");
    return append(entries);
  };
  const system = new KeptSystem(journal);
  assert.is(await codeOf(() => system.ask(system.entity(narrow, "x"), "add", 1)), "STORE_REFUSED");
  isRefused = false;
  assert.equal(await system.ask(system.entity(narrow, "x"), "got"), []);
});

test.run();
