// What a node keeps of other nodes' actors goes when it is of no use any more.
import { queryObjects } from "node:v8";
import * as assert from "uvu/assert";
import type { Cell } from "../../../../actors/system/cell.ts";
import { DistantTopics } from "../../../../actors/system/distant/distant-topics.ts";
import type { NodeMessages } from "../../../../actors/system/distant/node-link.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import { LocalTopics } from "../../../../actors/system/topics.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import { broadcaster } from "../../../../lib/actors/routers.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorReference, AnyReference } from "../../../../lib/core/contracts/actor.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { JoinedNodes } from "./joined-nodes.ts";

const test = suite("what nodes keep of each other");

const rounds = 40;
let release: (() => void)[] = [];

const leaf = actor({
  kind: "leaf",
  init: () => ({ count: 0 }),
  receive: {
    add: (state) => ++state.count,
    count: ({ count }) => count,
    block: () => new Promise<void>((resolve) => release.push(resolve)),
    async addAndFail(state): Promise<never> {
      state.count++;
      await new Promise<void>((resolve) => release.push(resolve));
      throw new Error("broken");
    },
  },
  supervise: [{ do: "resume" }],
});

interface LeafProtocol {
  add: () => number;
  count: () => number;
  block: () => void;
}
type Leaf = ActorReference<LeafProtocol>;

const middle = actor({
  kind: "middle",
  init: (to: Leaf) => to,
  receive: {
    add(to, _: undefined, ctx): number {
      ctx.forward(to);
      return 0;
    },
  },
});

const mourner = actor({
  kind: "mourner",
  init: () => ({ told: [] as string[] }),
  receive: {
    watch: (_state, other: AnyReference, ctx) => ctx.watch(other),
    unwatch: (_state, other: AnyReference, ctx) => ctx.unwatch(other),
    told: ({ told }) => told,
  },
  watched: ({ told }, { reason }) => void told.push(reason),
});

/** Its name is known where it is started, and nowhere else. */
const ghost = actor({ kind: "ghost", init: () => 0, receive: { go() {} } });
definedActor(ghost).registered = "ghost";

const parent = actor({
  kind: "parent",
  passivateMs: 1000,
  init: () => 0,
  receive: {
    bear: (_state, near: AnyReference, ctx): Leaf =>
      ctx.spawn(leaf, undefined, { place: { kind: "near", actor: near } }),
    bearGhost(_state, near: AnyReference, ctx) {
      ctx.spawn(ghost, undefined, { place: { kind: "near", actor: near } });
    },
  },
});

interface ParentProtocol {
  bear: (near: AnyReference) => Leaf;
  bearGhost: (near: AnyReference) => void;
}

function joined(count: number): JoinedNodes {
  release = [];
  return new JoinedNodes(count, { leaf, middle, mourner, parent } as never);
}

/** How many objects of something's class there are. */
function alive(one: object): number {
  return queryObjects(one.constructor as new () => object, { format: "count" });
}

test("a question that was handed on to a third node leaves nothing behind once it is answered", async () => {
  const nodes = joined(3);
  const between = nodes.spawn(1, middle, nodes.seenFrom(1, nodes.spawn(2, leaf)));
  const asked = nodes.seenFrom(0, between);
  const served = nodes.at(0).distant.asks.serve(2, "add", 1);
  for (let round = 1; round <= rounds; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.is(await nodes.answer(asked.ask("add")), round);
  }
  assert.is(alive(served), 1);
});

test("a question whose asker is lost isn't handled by whom it was handed on to", async () => {
  const nodes = joined(3);
  const end = nodes.spawn(2, leaf);
  const asked = nodes.seenFrom(0, nodes.spawn(1, middle, nodes.seenFrom(1, end)));
  end.tell("block");
  await nodes.settle();
  void asked.ask("add").catch(() => {});
  await nodes.settle();
  nodes.lose(0);
  await nodes.settle();
  for (const go of release) go();
  assert.is(await nodes.answer(end.ask("count")), 0);
});

test("who is sent to all is spared what its asker has given up, and nothing of that is kept", async () => {
  const nodes = joined(2);
  const end = nodes.spawn(1, leaf);
  const there = nodes.seenFrom(0, end);
  const everyone = nodes.spawn(0, broadcaster([there]));
  end.tell("block");
  await nodes.settle();
  const given = Array.from({ length: rounds }, () => new AbortController());
  const asks = given.map(({ signal }) => everyone.ask("add", undefined, { signal }));
  const refused = asks.map((ask) => failure(() => ask, "ABORTED"));
  await nodes.settle();
  assert.ok(isPending(nodes, rounds));
  for (const each of given) each.abort();
  await Promise.all(refused);
  await nodes.settle();
  assert.ok(!isPending(nodes, 1));
  for (const go of release) go();
  assert.is(await nodes.answer(end.ask("count")), 0);
});

test("what one of all refuses, the others handle nevertheless", async () => {
  const nodes = joined(3);
  const [near, far] = [nodes.spawn(1, leaf), nodes.spawn(2, leaf)];
  const everyone = nodes.spawn(0, broadcaster([nodes.seenFrom(0, near), nodes.seenFrom(0, far)]));
  far.tell("block");
  await nodes.settle();
  const asked = failure(() => everyone.ask("add"), "ACTOR_STOPPED");
  nodes.at(1).node.stop(near);
  await nodes.settle();
  await asked;
  for (const go of release) go();
  assert.is(await nodes.answer(far.ask("count")), 1);
});

test("what the asker has given up isn't handled, though one that was at it refuses it later", async () => {
  const nodes = joined(1);
  const [first, second] = [nodes.spawn(0, leaf), nodes.spawn(0, leaf)];
  const everyone = nodes.spawn(0, broadcaster([first, second]));
  second.tell("block");
  await nodes.settle();
  const given = new AbortController();
  const refused = failure(() => everyone.ask("addAndFail", undefined, { signal: given.signal }), "ABORTED");
  await nodes.settle();
  given.abort();
  await refused;
  for (const go of release.toReversed()) {
    go();
    // oxlint-disable-next-line no-await-in-loop -- in order
    await nodes.settle();
  }
  assert.equal(await Promise.all([first, second].map((each) => nodes.answer(each.ask("count")))), [1, 0]);
});

/** True if the first node waits for the answer to its question of a number. */
function isPending(nodes: JoinedNodes, ask: number): boolean {
  return nodes.at(0).distant.asks.replyOf(ask) !== undefined;
}

test("who watched an actor elsewhere is forgotten once it has ended, is told, or doesn't want to know any more", async () => {
  const nodes = joined(2);
  const lasting = nodes.seenFrom(0, nodes.spawn(1, leaf));
  const entity = nodes.at(0).node.entity(definedActor(leaf), keyAt(nodes, 1));
  const before = alive(nodes.at(0).node.root);
  for (let round = 0; round < rounds; round++) {
    const short = nodes.spawn(1, leaf);
    const watchers = [lasting, lasting, entity, nodes.seenFrom(0, short)].map((watched) => {
      const watcher = nodes.spawn(0, mourner);
      watcher.tell("watch", watched);
      return watcher;
    });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await nodes.settle();
    watchers[1]?.tell("unwatch", lasting);
    nodes.at(1).node.stop(short);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await nodes.settle();
    for (const watcher of watchers) nodes.at(0).node.stop(watcher);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await nodes.settle();
  }
  // Those of the last round may be in what was used last.
  assert.ok(alive(nodes.at(0).node.root) <= before + 8);
});

test("a watcher of several actors of a node is told of each when that is lost, also after it has unwatched one", async () => {
  const nodes = joined(2);
  const watched = [1, 2, 3].map(() => nodes.seenFrom(0, nodes.spawn(1, leaf)));
  const watcher = nodes.spawn(0, mourner);
  for (const each of watched) watcher.tell("watch", each);
  watcher.tell("unwatch", watched[0] as AnyReference);
  await nodes.settle();
  nodes.lose(1);
  assert.equal(await nodes.answer(watcher.ask("told")), ["lost", "lost"]);
});

test("watchers that are lost with their node are forgotten", async () => {
  const nodes = joined(2);
  const watched = nodes.spawn(0, leaf);
  const watcher = nodes.spawn(1, mourner);
  watcher.tell("watch", nodes.seenFrom(1, watched));
  await nodes.settle();
  const { extras } = (watched as unknown as Reference).cell as Cell;
  assert.is(extras?.watchers?.size, 1);
  nodes.lose(1);
  assert.is(extras?.watchers?.size, 0);
});

/** A key whose entity of a leaf or a parent is at home in a node. */
function keyAt(nodes: JoinedNodes, life: number): string {
  for (let number = 0; ; number++) {
    const key = `key ${number}`;
    const isThere = ["leaf", "parent"].every((kind) => nodes.at(life).distant.isAtHome(`entity/${kind}/${key}`));
    if (isThere) return key;
  }
}

for (const how of ["is lost with its node", "has ended", "couldn't be started"]) {
  test(`an entity whose child elsewhere ${how} is passivated`, async () => {
    const nodes = joined(2);
    const entity = nodes.at(0).node.entity(definedActor(parent), keyAt(nodes, 0)) as ActorReference<ParentProtocol>;
    const near = nodes.seenFrom(0, nodes.spawn(1, leaf));
    if (how === "couldn't be started") entity.tell("bearGhost", near);
    else {
      const child = await nodes.answer(entity.ask("bear", near));
      await nodes.pass(3000);
      assert.is(nodes.at(0).node.size, 1, "its child lives");
      if (how === "has ended") nodes.at(0).node.stop(child);
      else nodes.lose(1);
    }
    await nodes.settle();
    assert.is(nodes.at(0).node.size, 1);
    await nodes.pass(3000);
    assert.is(nodes.at(0).node.size, 0);
  });
}

test("the children elsewhere of an entity that is lost end", async () => {
  const nodes = joined(2);
  const entity = nodes.at(0).node.entity(definedActor(parent), keyAt(nodes, 0)) as ActorReference<ParentProtocol>;
  await nodes.answer(entity.ask("bear", nodes.seenFrom(0, nodes.spawn(1, leaf))));
  await nodes.settle();
  assert.is(nodes.at(1).node.size, 2);
  nodes.lose(0);
  assert.is(nodes.at(1).node.size, 1);
});

test("a topic whose last subscribers were lost is forgotten", () => {
  const messages = { life: 0, tellNode() {}, tellHome() {} } as unknown as NodeMessages;
  const topics = new DistantTopics(messages, new LocalTopics(() => {}));
  const before = alive(new Set());
  for (let life = 1; life <= rounds; life++) {
    topics.services["subscribe"]?.(`topic ${life}` as never, life);
    topics.lost(life);
  }
  assert.ok(alive(new Set()) < before + rounds / 2);
});

test.run();
