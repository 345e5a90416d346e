import * as assert from "uvu/assert";
import { waitingMax } from "../../../../actors/system/distant/outgoing.ts";
import { actor } from "../../../../lib/index.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { JoinedNodes, type JoinedNode } from "./joined-nodes.ts";

const test = suite("ways between nodes on which too much waits");

const reader = actor({
  kind: "reader",
  init: () => ({ read: 0 }),
  receive: {
    subscribe(_state, topic: string, ctx) {
      ctx.subscribe(topic, "read");
    },
    read(state, _word: string) {
      state.read++;
    },
    count: ({ read }) => read,
  },
  mailbox: { limit: 1_000_000 },
});

const writer = actor({
  kind: "writer",
  init: () => ({}),
  receive: {
    publish(_state, { topic, times }: { readonly topic: string; readonly times: number }, ctx) {
      for (let time = 0; time < times; time++) ctx.publish(topic, "word");
    },
  },
});

const forgotten = actor({ kind: "forgotten", init: () => ({}), receive: { greet() {} } });

/** A topic that is at home in a node. */
function topicAt(home: number, { distant }: JoinedNode): string {
  for (let number = 0; ; number++) {
    const topic = `topic ${number}`;
    const channel = distant.isAtHome(`topic/${topic}`) ? 0 : 1;
    if (channel === home) return topic;
  }
}

function dropped({ events, node }: JoinedNode): number {
  for (const event of events) assert.equal([event.kind, "why" in event && event.why], ["dead-letter", "mailbox-full"]);
  assert.is(node.metrics.counts().deadLetters, events.length);
  return events.length;
}

test("what is published faster than it can be sent is a dead letter at last, and the publisher goes on", async () => {
  for (const home of [0, 1]) {
    const nodes = new JoinedNodes(2, { reader, writer } as never);
    const topic = topicAt(home, nodes.at(0));
    const there = nodes.spawn(1, reader);
    there.tell("subscribe", topic);
    await nodes.settle();
    const times = waitingMax + 60_000;
    nodes.spawn(0, writer).tell("publish", { topic, times });
    await nodes.settle();
    const missed = dropped(nodes.at(0));
    assert.ok(missed > 10_000, `${missed} were dead letters`);
    assert.is(await nodes.answer(there.ask("count")), times - missed, "the rest arrives");
    assert.match(JSON.stringify(nodes.at(0).events[0]), topic);
  }
});

test("what is published while a topic's home is lost waits within limits, and what nodes say to it isn't refused", async () => {
  const nodes = new JoinedNodes(2, { reader, writer } as never);
  const topic = topicAt(1, nodes.at(0));
  const names = Array.from({ length: 20 }, (_, number) => `name ${number}`);
  const named = names.map((name) => nodes.spawn(0, reader, undefined, { name }));
  await nodes.settle();
  nodes.lose(1);
  nodes.spawn(0, writer).tell("publish", { topic, times: waitingMax + 1000 });
  await nodes.settle();
  const missed = dropped(nodes.at(0));
  assert.ok(missed >= 1000 && missed < 1100, `${missed} were dead letters`);
  // Their names, and what they subscribe to, are at home there in part.
  for (const each of named) each.tell("subscribe", topic);
  await nodes.settle();
  for (const each of named) nodes.at(0).node.stop(each);
  await nodes.settle();
  assert.is(nodes.at(0).events.length, missed);
  assert.is(nodes.at(0).node.size, 1);
  await failure(
    () =>
      nodes
        .at(0)
        .node.ask(
          nodes.at(0).distant.entity("reader", keyAway(nodes)) as never,
          "count",
          undefined,
          undefined,
          undefined,
        ),
    "MAILBOX_FULL",
  );
});

/** A key of an entity whose home is lost. */
function keyAway(nodes: JoinedNodes): string {
  for (let number = 0; ; number++) if (!nodes.at(0).distant.isAtHome(`entity/reader/${number}`)) return `${number}`;
}

test("an entity of a definition that other slots don't know is refused, wherever its home is", async () => {
  const nodes = new JoinedNodes(2, { reader, writer } as never);
  for (let number = 0; number < 8; number++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await failure(async () => nodes.at(0).node.entity(definedActor(forgotten), `${number}`), "ACTOR_INVALID");
  }
});

test.run();
