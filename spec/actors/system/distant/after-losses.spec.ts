// What a node that takes over, and those that hear of it sooner or later, do for each other's actors.
import * as assert from "uvu/assert";
import type { Reference } from "../../../../actors/system/reference.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import type { ActorReference, AnyReference } from "../../../../lib/core/contracts/actor.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { JoinedNodes } from "./joined-nodes.ts";

const test = suite("actors and nodes that take over");

let handled: string[] = [];
let told: string[] = [];

const worker = actor({
  kind: "worker",
  init: () => 0,
  receive: {
    work: (_state, what: string) => void handled.push(what),
    pass: (_state, { to, what }: { readonly to: AnyReference; readonly what: string }) => to.tell("work", what),
    watch: (_state, other: AnyReference, ctx) => ctx.watch(other),
    stop: (_state, other: AnyReference, ctx) => ctx.stop(other),
    leave: (_state, _: undefined, ctx) => ctx.stop(),
  },
  watched: (_state, { actor: other, reason }) => void told.push(`${other.label} ${reason}`),
  // Others send meanwhile.
  stopped: () => new Promise<void>((resolve) => ends.push(resolve)),
  mailbox: { limit: 4, full: "fail" },
});

const failing = actor({
  kind: "failing",
  init(): number {
    throw new Error("broken");
  },
  receive: { go() {} },
  supervise: [{ do: "escalate" }],
});

const parent = actor({
  kind: "parent",
  init: () => 0,
  receive: {
    bear(_state, near: AnyReference, ctx) {
      ctx.spawn(failing, undefined, { place: { kind: "near", actor: near } });
    },
    async wait(): Promise<string> {
      told.push("begun");
      await new Promise<void>((resolve) => ends.push(resolve));
      return "waited";
    },
  },
  stopped: () => void told.push("freed"),
});

interface Worker {
  work: (what: string) => void;
  pass: (message: { readonly to: AnyReference; readonly what: string }) => void;
  watch: (other: AnyReference) => void;
  stop: (other: AnyReference) => void;
  leave: () => void;
}
let ends: (() => void)[] = [];

function joined(count: number, rows?: number): JoinedNodes {
  [handled, told, ends] = [[], [], []];
  const credit = rows === undefined ? {} : { credit: { rows, bytes: 1 << 20 } };
  return new JoinedNodes(count, { worker, parent, failing } as never, { hasClient: true, ...credit });
}

/** Has a node take over a host, of which all hear. */
function replace(nodes: JoinedNodes, channel: number, life: number): void {
  takeOver(nodes, channel, life);
  for (const each of nodes.lives) nodes.at(each).distant.placed(channel, life, "slot");
}

/** Has a node take over a host, of which the others don't hear yet. */
function takeOver(nodes: JoinedNodes, channel: number, life: number): void {
  const { hosts } = nodes.at(nodes.clientLife).distant;
  nodes.replace(
    life,
    hosts.map((host) => ({ life: host.channel === channel ? life : (host.life ?? -1), slot: host.slot })),
  );
}

/** An entity whose home is a host in its first life, as a node knows it. */
function entityAt(nodes: JoinedNodes, channel: number, life: number): ActorReference<Worker> & Reference {
  for (let number = 0; ; number++) {
    if (nodes.at(channel).distant.isAtHome(`entity/worker/${number}`))
      return nodes.at(life).distant.entity("worker", String(number)) as never;
  }
}

test("a node that takes over knows who was lost before: nobody is held for that, and all are told", async () => {
  const nodes = joined(2);
  const gone = nodes.spawn(1, worker);
  const { id, kind } = gone as unknown as Reference;
  nodes.lose(1);
  replace(nodes, 1, 3);
  await nodes.settle();
  const there = nodes.spawn(3, worker);
  const lost = nodes.at(3).distant.refer(1, id, kind);
  there.tell("watch", lost);
  there.tell("pass", { to: lost, what: "lost" });
  there.tell("work", "more");
  await nodes.settle();
  assert.equal(handled, ["more"]);
  assert.equal(told, ["worker-1 lost"]);
  await failure(() => nodes.answer(lost.ask("work", "asked", { timeoutMs: Infinity })), "ACTOR_STOPPED");
});

test("a question that is given up while its entity has no home isn't handled when that is there again", async () => {
  const nodes = joined(2);
  const entity = entityAt(nodes, 1, 0);
  nodes.lose(1);
  const abort = new AbortController();
  const answer = entity.ask("work", "given up", { signal: abort.signal });
  answer.catch(() => {});
  entity.tell("work", "told");
  await nodes.settle();
  abort.abort();
  replace(nodes, 1, 3);
  await nodes.settle();
  assert.equal(handled, ["told"]);
});

test("a question that is given up before it leaves isn't handled by who takes over", async () => {
  const nodes = joined(2, 1);
  const entity = entityAt(nodes, 1, 0);
  // It uses up the credit.
  entity.tell("work", "first");
  nodes.at(0).distant.flush();
  const abort = new AbortController();
  entity.ask("work", "given up", { signal: abort.signal }).catch(() => {});
  entity.tell("work", "second");
  abort.abort();
  nodes.lose(1);
  replace(nodes, 1, 3);
  await nodes.settle();
  assert.equal(handled, ["second"]);
});

test("an entity is told of an end by a node that hears of it before it hears of its home", async () => {
  const nodes = joined(2);
  const watcher = entityAt(nodes, 1, 2);
  const ended = nodes.spawn(0, worker);
  const seen = nodes.seenFrom(2, ended);
  nodes.at(0).node.stop(ended);
  await nodes.settle();
  for (const end of ends.splice(0)) end();
  await nodes.settle();
  nodes.lose(1);
  takeOver(nodes, 1, 3);
  for (const life of [2, 3]) nodes.at(life).distant.placed(1, 3, "slot");
  watcher.tell("watch", seen);
  await nodes.settle();
  assert.equal(told, []);
  nodes.at(0).distant.placed(1, 3, "slot");
  await nodes.settle();
  assert.equal(told, ["worker-1 stopped"]);
});

test("an actor that another node starts here is watched and stopped before it is here", async () => {
  const nodes = joined(2);
  const place = { kind: "near", actor: nodes.spawn(1, worker) } as const;
  const made = nodes.spawn(0, worker, undefined, { place }) as unknown as Reference;
  const here = nodes.at(1).distant.refer(made.life, made.id, made.kind);
  const watcher = nodes.spawn(1, worker);
  watcher.tell("watch", here);
  watcher.tell("stop", here);
  nodes.at(1).distant.turns(100);
  assert.equal(told, []);
  await nodes.settle();
  for (const end of ends.splice(0)) end();
  await nodes.settle();
  assert.equal(told, ["worker-0.1 stopped"]);
});

test("a child's failure elsewhere is its parent's when that has done what it handles, and not before", async () => {
  const nodes = joined(2);
  const mother = nodes.spawn(0, parent);
  mother.tell("bear", nodes.spawn(1, worker));
  const answer = mother.ask("wait");
  await nodes.settle();
  assert.equal(told, ["begun"], "the child has failed, and the state is still there");
  for (const end of ends.splice(0)) end();
  assert.is(await nodes.answer(answer), "waited");
  assert.equal(told, ["begun", "freed"]);
});

test("mail for an entity's next life that has no room there is dead letters, and the rest is handled", async () => {
  const nodes = joined(1);
  const entity = nodes.at(0).distant.entity("worker", "ann") as never as ActorReference<Worker>;
  entity.tell("work", "first");
  await nodes.settle();
  entity.tell("leave");
  for (const what of ["a", "b", "c"]) entity.tell("work", what);
  await nodes.settle();
  const answers = ["d", "e", "f", "g"].map((what) => entity.ask("work", what));
  const settled = Promise.allSettled(answers);
  for (const end of ends.splice(0)) end();
  await nodes.settle();
  assert.equal(handled, ["first", "a", "b", "c", "d"]);
  const refused = (await settled).flatMap((each) =>
    each.status === "rejected" ? [each.reason as { code: string }] : [],
  );
  assert.equal(
    refused.map(({ code }) => code),
    ["MAILBOX_FULL", "MAILBOX_FULL", "MAILBOX_FULL"],
  );
});

test.run();
