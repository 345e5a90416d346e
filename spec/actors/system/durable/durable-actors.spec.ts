import * as assert from "uvu/assert";
import { MemoryJournal } from "../../../../actors/stores/memory-journal.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import type { ActorReference, AnyReference } from "../../../../lib/core/contracts/actor.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf, KeptSystem, type Anything } from "./kept-system.ts";

const test = suite("durable actors");

interface Note {
  readonly who: string;
  readonly amount: number;
}

const ledger = actor({
  kind: "ledger",
  durable: true,
  init: (_key: string): { readonly notes: Note[] } => ({ notes: [] }),
  receive: {
    note: ({ notes }, note: Note) => void notes.push(note),
    get: ({ notes }) => notes,
  },
});

const account = actor({
  kind: "account",
  durable: { snapshotEvery: 3 },
  supervise: [{ on: "OPTION_INVALID", do: "resume" }],
  init: (key: string) => ({ key, sum: 0, at: 0, seen: undefined as AnyReference | undefined }),
  receive: {
    add(state, amount: number, ctx) {
      state.sum += amount;
      state.at = ctx.now();
      ctx.entity(ledger, "all").tell("note", { who: state.key, amount });
      if (amount > 1000) throw new Error("too much");
      if (amount < 0) ctx.refuse(new Error("too little"));
      return state.sum;
    },
    see(state, _none: undefined, ctx) {
      state.seen = ctx.sender;
    },
    reply: (state, text: string) => (state.seen as ActorReference<Anything>).tell("told", text),
    get: ({ sum }) => sum,
    when: ({ at }) => at,
  },
});

test("an actor goes on where it was, whatever of memory is lost", async () => {
  let system = new KeptSystem();
  for (let round = 0; round < 5; round++) {
    const ann = system.entity(account, "ann");
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    assert.is(await system.ask(ann, "get"), round * 3);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await system.ask(ann, "add", 1);
    // oxlint-disable-next-line no-await-in-loop -- see above
    assert.is(await system.ask(ann, "add", 2), round * 3 + 3);
    system = system.crash();
  }
  const notes = await system.ask(system.entity(ledger, "all"), "get");
  assert.is(notes.length, 10);
});

test("nothing of a step is seen before it is durable", async () => {
  const journal = new MemoryJournal();
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const append = journal.append.bind(journal);
  journal.append = async (entries) => {
    await held;
    return append(entries);
  };
  const system = new KeptSystem(journal);
  let answer: unknown;
  const told: unknown[] = [];
  const hearer = system.spawn(
    actor({ init: () => null, receive: { note: (_state, note: Note) => void told.push(note) } }),
  );
  const teller = actor({
    kind: "teller",
    durable: true,
    init: (_key: string) => ({ count: 0 }),
    receive: {
      tell(state, to: ActorReference<Anything>) {
        to.tell("note", ++state.count);
        return state.count;
      },
    },
  });
  void system
    .entity(teller, "a")
    .ask("tell", hearer, { timeoutMs: Infinity })
    .then((value: unknown) => (answer = value));
  await system.settle();
  assert.equal([answer, told], [undefined, []]);
  letGo();
  await system.settle();
  assert.equal([answer, told], [1, [1]]);
});

test("a step that fails leaves nothing but that it came; who asked is told", async () => {
  let system = new KeptSystem();
  const ann = system.entity(account, "ann");
  await system.ask(ann, "add", 5);
  assert.match(await codeOf(() => system.ask(ann, "add", 2000)), /too much/u);
  assert.is(await system.ask(ann, "get"), 5);
  assert.equal(await system.ask(system.entity(ledger, "all"), "get"), [{ who: "ann", amount: 5 }]);
  system = system.crash();
  assert.is(await system.ask(system.entity(account, "ann"), "get"), 5);
});

test("one that supervision stops is back by its next message, as it was before it failed", async () => {
  const fragile = actor({
    kind: "fragile",
    durable: { snapshotEvery: 2 },
    supervise: [{ do: "stop" }],
    init: (_key: string) => ({ count: 0 }),
    receive: {
      add: (state) => ++state.count,
      fail(state) {
        state.count = 1000;
        throw new Error("it fails");
      },
    },
  });
  const system = new KeptSystem();
  const one = system.entity(fragile, "a");
  await system.ask(one, "add");
  assert.match(await codeOf(() => system.ask(one, "fail")), /it fails/u);
  assert.is(system.node.size, 0);
  assert.is(await system.ask(one, "add"), 2);
});

test("what is refused keeps what it did before, here and after a loss", async () => {
  let system = new KeptSystem();
  assert.match(await codeOf(() => system.ask(system.entity(account, "ann"), "add", -5)), /too little/u);
  system = system.crash();
  assert.is(await system.ask(system.entity(account, "ann"), "get"), -5);
  assert.is((await system.ask(system.entity(ledger, "all"), "get")).length, 1);
});

test("time in a step is the same when it is done again", async () => {
  let system = new KeptSystem();
  await system.ask(system.entity(account, "ann"), "add", 1);
  const at = await system.ask(system.entity(account, "ann"), "when");
  system = system.crash();
  await system.advance(5000);
  assert.is(await system.ask(system.entity(account, "ann"), "when"), at);
});

test("a message that can't be kept is refused, and the actor is none the worse for it", async () => {
  const system = new KeptSystem();
  const ann = system.entity(account, "ann");
  await system.ask(ann, "add", 1);
  assert.is(await codeOf(() => system.ask(ann, "add", () => 1)), "CANNOT_TRAVEL");
  assert.is(await system.ask(ann, "get"), 1);
  assert.equal(
    system.events.map(({ kind }) => kind),
    ["actor-failed"],
  );
});

test("references to durable actors are good after a loss, those to others lead to nobody", async () => {
  let system = new KeptSystem();
  const told: string[] = [];
  const hearing = actor({ init: () => null, receive: { told: (_state, text: string) => void told.push(text), go } });
  const hearer = system.spawn(hearing);
  hearer.tell("go", system.entity(account, "ann"));
  await system.settle();
  await system.ask(system.entity(account, "ann"), "reply", "hello");
  assert.equal(told, ["hello"]);
  system = system.crash();
  const other = system.spawn(hearing);
  await system.ask(system.entity(account, "ann"), "reply", "again");
  assert.equal(told, ["hello"], String(other));
  assert.equal(system.events, [{ kind: "dead-letter", to: "actor-1", message: "told", why: "unknown-actor" }]);
});

function go(_state: unknown, to: ActorReference<Anything>): void {
  to.tell("see");
}

test("one that is started by its name keeps its first arguments; the name is taken while the system lives", async () => {
  const named = actor({
    kind: "named",
    durable: true,
    init: (start: number) => ({ count: start }),
    receive: { add: (state, amount: number) => (state.count += amount) },
  });
  let system = new KeptSystem();
  const first = system.spawn(named, 10, { name: "one" });
  assert.is(await system.ask(first, "add", 1), 11);
  assert.is(await codeOf(() => system.spawn(named, 10, { name: "one" })), "NAME_TAKEN");
  system = system.crash();
  assert.is(await system.ask(system.spawn(named, 99, { name: "one" }), "add", 1), 12);
});

test("stopped or passivated, it is put away: the next message brings it back", async () => {
  const system = new KeptSystem();
  const ann = system.entity(account, "ann");
  await system.ask(ann, "add", 4);
  system.node.stop(ann);
  await system.settle();
  assert.is(system.node.size, 1);
  assert.is(await system.ask(ann, "get"), 4);
});

test("a closed system has a snapshot of each, so that its handlers may change", async () => {
  const before = actor({
    kind: "changing",
    durable: { version: 1 },
    init: (_key: string) => ({ count: 0 }),
    receive: { add: (state) => (state.count += 1) },
  });
  const after = actor({
    kind: "changing",
    durable: { version: 2, migrate: (state) => ({ total: (state as { count: number }).count * 100 }) },
    init: (_key: string) => ({ total: 0 }),
    receive: { add: (state) => (state.total += 1) },
  });
  const system = new KeptSystem();
  await system.ask(system.entity(before, "a"), "add");
  await system.ask(system.entity(before, "a"), "add");
  await system.close();
  const next = new KeptSystem(system.journal, 2);
  assert.is(await next.ask(next.entity(after, "a"), "add"), 201);
  await next.close();
  const old = new KeptSystem(system.journal, 3);
  assert.is(await codeOf(() => old.ask(old.entity(before, "a"), "add")), "MIGRATION_MISSING");
  const lacking = actor({
    kind: "changing",
    durable: { version: 3 },
    init: (_key: string) => 0,
    receive: { add: () => 1 },
  });
  const last = new KeptSystem(system.journal, 4);
  assert.is(await codeOf(() => last.ask(last.entity(lacking, "a"), "add")), "MIGRATION_MISSING");
});

test("a migration that gives no state, or fails, changes nothing in the store", async () => {
  const version = (migrate: ((state: unknown, from: number) => unknown) | undefined) =>
    actor({
      kind: "changing",
      durable: migrate === undefined ? true : { version: 2, migrate: migrate as () => { count: number } },
      init: (_key: string) => ({ count: 0 }),
      receive: { add: (state) => (state.count += 1), get: ({ count }) => count },
    });
  let system = new KeptSystem();
  assert.is(await system.ask(system.entity(version(undefined), "a"), "add"), 1);
  await system.close();
  const wrong: Record<string, (state: unknown) => unknown> = {
    nothing: (state) => void ((state as { count: number }).count = 100),
    "a promise": (state) => Promise.resolve(state),
  };
  for (const [what, migrate] of Object.entries(wrong)) {
    system = new KeptSystem(system.journal, 2);
    const reference = system.entity(version(migrate), "a");
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.is(await codeOf(() => system.ask(reference, "add")), "MIGRATION_MISSING", what);
    const told = system.events.flatMap((event) => (event.kind === "actor-failed" ? [event.error.message] : []));
    assert.match(told.join("\n"), `gave ${what}`);
    await system.close(); // oxlint-disable-line no-await-in-loop -- see above
  }
  system = new KeptSystem(system.journal, 3);
  assert.is(await system.ask(system.entity(version(undefined), "a"), "get"), 1);
});

test("a message that has no handler any more isn't passed over", async () => {
  const kind = { kind: "shrinking", durable: true, init: (_key: string) => ({ count: 0 }) };
  const get = ({ count }: { count: number }): number => count;
  const before = actor({ ...kind, receive: { get, add: (state: { count: number }) => (state.count += 1) } });
  const after = actor({ ...kind, receive: { get } });
  let system = new KeptSystem();
  await system.ask(system.entity(before, "a"), "add");
  system = system.crash();
  assert.is(await codeOf(() => system.ask(system.entity(after, "a"), "get")), "NOT_RECOVERABLE");
  system = system.crash();
  assert.is(await system.ask(system.entity(before, "a"), "get"), 1);
});

test("one whose handlers do something else than before isn't brought back", async () => {
  const sending = (times: number) =>
    actor({
      kind: "sending",
      durable: true,
      init: (_key: string) => 0,
      receive: {
        go(_state, _none: undefined, ctx) {
          for (let left = times; left > 0; left--) ctx.entity(ledger, "all").tell("note", { who: "x", amount: left });
        },
      },
    });
  let system = new KeptSystem();
  await system.ask(system.entity(sending(2), "a"), "go");
  system = system.crash();
  assert.is(await codeOf(() => system.ask(system.entity(sending(1), "a"), "go")), "NOT_RECOVERABLE");
});

test("another system on the same store takes an actor over, and the first one's steps are void", async () => {
  const first = new KeptSystem();
  await first.ask(first.entity(account, "ann"), "add", 1);
  const second = new KeptSystem(first.journal, 2);
  assert.is(await second.ask(second.entity(account, "ann"), "add", 2), 3);
  assert.is(await codeOf(() => first.ask(first.entity(account, "ann"), "add", 10)), "ACTOR_FENCED");
  assert.is(await second.ask(second.entity(account, "ann"), "get"), 3);
  // The first one's next life has what is durable.
  assert.is(await first.ask(first.entity(account, "ann"), "get"), 3);
  assert.is((await second.ask(second.entity(ledger, "all"), "get")).length, 2);
});

test("modes, topics and what was put aside are there after a loss", async () => {
  const door = actor({
    kind: "door",
    durable: { snapshotEvery: 2 },
    init: (_key: string, ctx) => {
      ctx.subscribe("news", "heard");
      return { open: [] as number[], news: [] as string[] };
    },
    receive: {
      enter: (_state, _who: number, ctx) => ctx.stash(),
      heard: ({ news }, text: string) => void news.push(text),
      unlock(_state, _none: undefined, ctx) {
        ctx.become("unlocked");
        ctx.unstash();
      },
      get: ({ open, news }) => ({ open, news }),
    },
    modes: { unlocked: { enter: ({ open }, who: number) => void open.push(who) } },
  });
  let system = new KeptSystem();
  for (const who of [1, 2, 3]) system.entity(door, "a").tell("enter", who);
  await system.settle();
  system = system.crash();
  system.entity(door, "a").tell("unlock");
  await system.settle();
  system.node.topics.publish("news", "hello", undefined);
  assert.equal(await system.ask(system.entity(door, "a"), "get"), { open: [1, 2, 3], news: ["hello"] });
  system = system.crash();
  system.entity(door, "a").tell("enter", 4);
  await system.settle();
  system.node.topics.publish("news", "again", undefined);
  assert.equal(await system.ask(system.entity(door, "a"), "get"), { open: [1, 2, 3, 4], news: ["hello", "again"] });
});

test.run();
