// Actors whose name is at home in another node, which takes a while to say whether they may have it.
import * as assert from "uvu/assert";
import { actor } from "../../../../lib/actors/actor.ts";
import type { ActorReference } from "../../../../lib/core/contracts/actor.ts";
import { failure } from "../../../kit/failure.ts";
import { suite } from "../../../kit/suite.ts";
import { JoinedNodes } from "./joined-nodes.ts";

const test = suite("actors and names that are claimed elsewhere");

let lived: string[] = [];

const teller = actor({
  kind: "teller",
  init(who: string) {
    lived.push(`${who} began`);
    return who;
  },
  receive: {
    who: (who) => who,
    note: (who, what: string) => void lived.push(`${who} ${what}`),
  },
});

type Teller = ActorReference<{ who: () => string; note: (what: string) => void }>;

const delayMs = 10;

function joined(): JoinedNodes {
  lived = [];
  return new JoinedNodes(3, { teller } as never, { delayMs: () => delayMs });
}

/** A name that is at home in a node, and in no other one. */
function nameAt(nodes: JoinedNodes, life: number): string {
  for (let number = 0; ; number++) {
    const name = `n${number}`;
    if (nodes.at(life).distant.isAtHome(`name/${name}`)) return name;
  }
}

function spawn(nodes: JoinedNodes, life: number, who: string, name: string): Teller {
  return nodes.spawn(life, teller, who, { name }) as unknown as Teller;
}

for (const home of [0, 1, 2]) {
  test(`who is given no name handles nothing, wherever the name is at home (${home})`, async () => {
    const nodes = joined();
    const name = nameAt(nodes, home);
    const first = spawn(nodes, 0, "first", name);
    first.tell("note", "handled");
    await nodes.pass(5 * delayMs);
    assert.equal(lived.splice(0), ["first began", "first handled"]);
    if (home === 1) {
      await failure(() => Promise.resolve().then(() => spawn(nodes, 1, "second", name)), "NAME_TAKEN");
      return;
    }
    const second = spawn(nodes, 1, "second", name);
    second.tell("note", "handled");
    const asked = second.ask("who", undefined, { timeoutMs: Infinity });
    asked.catch(() => {});
    const found = nodes.at(1).node.names.find(name);
    await nodes.pass(5 * delayMs);
    const { message, cause } = await failure(() => asked, "ACTOR_STOPPED");
    assert.match(message, /another actor \(.*\) is called/u);
    assert.is((cause as { code?: string }).code, "NAME_TAKEN");
    assert.ok(nodes.seenFrom(1, first as never).equals(await found));
    assert.equal(lived, []);
  });
}

test("mail waits until the name is granted, and is handled in its order", async () => {
  const nodes = joined();
  const one = spawn(nodes, 0, "one", nameAt(nodes, 2));
  for (const what of ["a", "b", "c"]) one.tell("note", what);
  await nodes.pass(delayMs);
  assert.equal(lived, []);
  await nodes.pass(delayMs);
  assert.equal(lived, ["one began", "one a", "one b", "one c"]);
});

test("a name whose home is lost before it answers is granted by the next one", async () => {
  const nodes = joined();
  const name = nameAt(nodes, 2);
  const one = spawn(nodes, 0, "one", name);
  const asked = one.ask("who", undefined, { timeoutMs: Infinity });
  nodes.lose(2);
  await nodes.pass(5 * delayMs);
  assert.equal(lived, []);
  const hosts = [0, 1, 7].map((life, channel) => ({ life, slot: `slot-${channel}` }));
  nodes.replace(7, hosts);
  for (const life of [0, 1]) nodes.at(life).distant.placed(2, 7, "slot-2");
  await nodes.pass(5 * delayMs);
  assert.is(await asked, "one");
  assert.ok(nodes.seenFrom(1, one as never).equals(await nodes.answer(found(nodes, name))));
});

test("who is stopped before the name is granted ends, and gives it back", async () => {
  const nodes = joined();
  const name = nameAt(nodes, 2);
  const one = spawn(nodes, 0, "one", name);
  const asked = one.ask("who", undefined, { timeoutMs: Infinity });
  asked.catch(() => {});
  nodes.at(0).node.stop(one as never);
  await nodes.pass(5 * delayMs);
  await failure(() => asked, "ACTOR_STOPPED");
  const two = spawn(nodes, 1, "two", name);
  const answer = two.ask("who", undefined, { timeoutMs: Infinity });
  await nodes.pass(5 * delayMs);
  assert.is(await answer, "two");
  assert.equal(lived, ["two began"]);
});

async function found(nodes: JoinedNodes, name: string): Promise<unknown> {
  const answer = nodes.at(1).node.names.find(name);
  await nodes.pass(5 * delayMs);
  return answer;
}

test.run();
