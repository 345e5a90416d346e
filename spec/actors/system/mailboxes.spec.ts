// Mailboxes with limits, what goes before the mail, and the order of messages.
import fc from "fast-check";
import * as assert from "uvu/assert";
import { actor, type ActorDefinition, type ActorReference, type AnyReference } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/mailboxes");

const sink = actor({
  kind: "sink",
  init: () => ({ numbers: [] as number[], open: undefined as (() => void) | undefined }),
  receive: {
    take(state, number: number) {
      state.numbers.push(number);
    },
    async sleep() {
      await new Promise<void>((resolve) => sleepers.push(resolve));
    },
    numbers: (state) => state.numbers,
    listen(_state, topic: string, ctx) {
      ctx.subscribe(topic, "take");
    },
  },
});
const sleepers: (() => void)[] = [];
const wakeAll = (): void => {
  for (const wake of sleepers.splice(0)) wake();
};

/** Sends a number each time that it has a turn. */
const source = actor({
  kind: "source",
  init: (to: ActorReference<{ take: (number: number) => void }>) => ({ to, sent: 0 }),
  receive: {
    send(state) {
      state.to.tell("take", state.sent++);
    },
    publish(state, topic: string, ctx) {
      ctx.publish(topic, state.sent++);
    },
    sent: (state) => state.sent,
  },
});

test("senders to a full mailbox take no further message until it has room", async () => {
  const under = new NodeUnderTest();
  const to = under.spawn(sink, undefined, { mailbox: { limit: 10 } });
  to.tell("sleep");
  await under.settle();
  const from = [under.spawn(source, to), under.spawn(source, to)] as const;
  for (let round = 0; round < 100; round++) for (const each of from) each.tell("send");
  await under.settle();
  const cell = (to as unknown as { cell: { waiting: number } }).cell;
  assert.ok(cell.waiting >= 10 && cell.waiting <= 12, `${cell.waiting} wait`);
  wakeAll();
  await under.settle();
  assert.is((await under.answer(to.ask("numbers"))).length, 200);
  assert.equal(under.deadLetters, []);
});

test("what waits for a mailbox goes on when its actor ends", async () => {
  const under = new NodeUnderTest();
  const to = under.spawn(sink, undefined, { mailbox: { limit: 1 } });
  to.tell("sleep");
  const from = under.spawn(source, to);
  for (let round = 0; round < 5; round++) from.tell("send");
  await under.settle();
  under.stop(to);
  wakeAll();
  assert.is(await under.answer(from.ask("sent")), 5);
  assert.is(under.deadLetters.length, 5);
});

test("a full mailbox drops what comes, counts it, and says so", async () => {
  const under = new NodeUnderTest();
  const to = under.spawn(sink, undefined, { mailbox: { limit: 2, full: "drop" } });
  to.tell("sleep");
  await under.settle();
  for (let number = 0; number < 5; number++) to.tell("take", number);
  const asked = failure(() => under.answer(to.ask("numbers")), "MAILBOX_FULL");
  await asked;
  assert.is(under.deadLetters.filter((each) => each === "take mailbox-full").length, 3);
  assert.is(under.node.metrics.dropped, 4);
  wakeAll();
  await under.settle();
  assert.equal(await under.answer(to.ask("numbers")), [0, 1]);
});

test("a full mailbox fails the sender", async () => {
  const under = new NodeUnderTest();
  const to = under.spawn(sink, undefined, { mailbox: { limit: 2, full: "fail" } });
  for (const number of [0, 1]) to.tell("take", number);
  const error = await failure(() => to.tell("take", 2), "MAILBOX_FULL");
  assert.match(error.message, /2 messages wait for sink-1, whose limit is 2/);
  await failure(() => under.answer(to.ask("numbers")), "MAILBOX_FULL");
});

test("who publishes isn't failed by a listener without room", async () => {
  const under = new NodeUnderTest();
  const full = under.spawn(sink, undefined, { mailbox: { limit: 1, full: "fail" } });
  const open = under.spawn(sink);
  for (const each of [full, open]) {
    each.tell("listen", "numbers");
    await under.settle();
  }
  full.tell("sleep");
  await under.settle();
  const from = under.spawn(source, open);
  for (let round = 0; round < 3; round++) from.tell("publish", "numbers");
  await under.settle();
  assert.equal(await under.answer(open.ask("numbers")), [0, 1, 2]);
  assert.equal(under.deadLetters, ["take mailbox-full", "take mailbox-full"]);
  assert.equal(under.actions, []);
  wakeAll();
});

test("a question that was given up is no dead letter, and neither is the mark behind the last mail", async () => {
  const under = new NodeUnderTest();
  const to = under.spawn(sink);
  to.tell("sleep");
  await under.settle();
  await failure(() => to.ask("numbers", undefined, { signal: AbortSignal.abort() }), "ABORTED");
  const abort = new AbortController();
  const aborted = failure(() => to.ask("numbers", undefined, { signal: abort.signal }), "ABORTED");
  abort.abort();
  await aborted;
  to.tell("take", 1);
  under.node.stop(to, { afterMail: true });
  under.stop(to);
  wakeAll();
  await under.settle();
  assert.equal(under.deadLetters, ["take stopped"]);
  assert.is(under.node.metrics.deadLetters, 1);
});

interface Passing {
  pass: (left: number) => void;
  meet: (next: ActorReference<Passing>) => void;
}

test("senders that wait for each other in a ring don't wait forever", async () => {
  const passer: ActorDefinition<Passing, void> = actor({
    init: () => ({ next: undefined as ActorReference<Passing> | undefined }),
    receive: {
      meet(state, next: ActorReference<Passing>) {
        state.next = next;
      },
      pass(state, left: number) {
        if (left > 0) for (let copy = 0; copy < 2; copy++) state.next?.tell("pass", left - 1);
      },
    },
    mailbox: { limit: 1 },
  });
  for (const size of [1, 2, 3, 7]) {
    const under = new NodeUnderTest();
    const ring = Array.from({ length: size }, () => under.spawn(passer));
    ring.forEach((each, index) => each.tell("meet", ring[(index + 1) % size] as ActorReference<Passing>));
    await under.settle();
    const before = under.node.metrics.handled;
    for (const each of ring) each.tell("pass", 8);
    await under.settle();
    assert.is(under.node.metrics.handled - before, size * (2 ** 9 - 1), `a ring of ${size}`);
    assert.equal(under.deadLetters, []);
  }
});

test("a stop and an end aren't behind 100,000 messages", async () => {
  const under = new NodeUnderTest();
  const seen: string[] = [];
  const busy = actor({
    init: () => 0,
    receive: {
      watch(_state, other: AnyReference, ctx) {
        ctx.watch(other);
      },
      work: () => void seen.push("work"),
    },
    watched: () => void seen.push("end"),
  });
  const [target, other] = [under.spawn(busy), under.spawn(busy)];
  target.tell("watch", other);
  await under.settle();
  for (let count = 0; count < 99_000; count++) target.tell("work");
  under.node.takeTurns(1);
  under.stop(other);
  under.node.takeTurns(1);
  assert.equal(seen, ["work", "end"]);
  under.stop(target);
  await under.settle();
  assert.is(seen.length, 2);
  assert.is(under.node.metrics.deadLetters, 98_999);
});

test("an actor that stops handles nothing more, though a child of it is still at work", async () => {
  const under = new NodeUnderTest();
  const seen: string[] = [];
  const parent = actor({
    init: (_: undefined, ctx) => ctx.spawn(sink),
    receive: {
      begin(child, _: undefined, ctx) {
        child.tell("sleep");
        ctx.after(1, "stop");
      },
      stop(_child, _: undefined, ctx) {
        ctx.stop();
      },
      work: () => void seen.push("work"),
    },
    stopped: () => void seen.push("stopped"),
  });
  const target = under.spawn(parent, undefined);
  target.tell("begin");
  await under.pass(1);
  target.tell("work");
  await under.settle();
  assert.equal(seen, []);
  wakeAll();
  await under.settle();
  assert.equal(seen, ["stopped"]);
  assert.equal(under.deadLetters, ["work stopped"]);
});

/** What one actor sends when it has a message: to whom. Each message is told from which sender it is, and the how manieth to this receiver. */
interface Letter {
  readonly from: number;
  readonly number: number;
  readonly left: number;
}

test("messages of one actor to another keep their order, whatever sends they come from", async () => {
  const targets = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), { minLength: 4, maxLength: 4 });
  const limit = fc.integer({ min: 1, max: 5 });
  await fc.assert(
    fc.asyncProperty(targets, limit, fc.integer({ min: 1, max: 5 }), async (sends, mailboxLimit, depth) => {
      const under = new NodeUnderTest();
      const actors: ActorReference<{ letter: (letter: Letter) => void }>[] = [];
      const received: string[] = [];
      const writer = actor({
        init: (self: number) => ({ self, counts: new Map<number, number>() }),
        receive: {
          letter({ self, counts }, { from, number, left }: Letter) {
            received.push(`${from}>${self} ${number}`);
            for (const to of left > 0 ? (sends[self] ?? []) : []) {
              const count = counts.get(to) ?? 0;
              counts.set(to, count + 1);
              actors[to]?.tell("letter", { from: self, number: count, left: left - 1 });
            }
          },
        },
        mailbox: { limit: mailboxLimit },
      });
      for (let self = 0; self < 4; self++) actors.push(under.spawn(writer, self));
      actors[0]?.tell("letter", { from: -1, number: 0, left: depth });
      await under.settle();
      const next = new Map<string, number>();
      for (const line of received) {
        const [pair = "", number] = line.split(" ");
        assert.is(Number(number), next.get(pair) ?? 0, line);
        next.set(pair, Number(number) + 1);
      }
      assert.equal(under.deadLetters, []);
    }),
    { numRuns: 100 },
  );
});

test.run();
