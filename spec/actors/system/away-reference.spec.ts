import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import { AwayReference } from "../../../actors/system/away-reference.ts";
import { localBinder } from "../../../actors/system/local-binder.ts";
import { guestsCome, nodeIsHere } from "../../../actors/system/nodes-here.ts";
import { actor, type AskOptions } from "../../../lib/index.ts";
import { NodeUnderTest, StandingClock } from "../../kit/actor-node.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("references that came to where no node of their system is");

const desk = actor({ kind: "desk", init: () => ({}), receive: { open: () => "from nine" } });

interface Away {
  readonly reference: AwayReference;
  readonly clock: StandingClock;
  /** What other slots were asked, and for how long. */
  readonly asked: (AskOptions & { readonly way: string })[];
  /** Says by which slot its system is reached. */
  readonly found: (way: string | undefined) => void;
  /** Lets time pass, with what promises do meanwhile. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

function away(system: string, node?: NodeUnderTest): Away {
  const clock = new StandingClock();
  const asked: (AskOptions & { way: string })[] = [];
  let found: Away["found"] = () => {};
  const looked = new Promise<string | undefined>((resolve) => (found = resolve));
  guestsCome(system, {
    clock,
    way: () => looked,
    ask: (way, _to, _name, _payload, options = {}) => {
      asked.push({ ...options, way });
      return Promise.resolve("by another slot");
    },
  });
  const id = node === undefined ? 0 : node.spawn(desk);
  const reference = new AwayReference({
    home: { system, reach: "slots" },
    label: "desk-1",
    isEntity: false,
    slot: system,
    doors: ["other"],
    bind: () => id as never,
    address: [],
  });
  const pass = async (milliseconds: number): Promise<void> => {
    const untilMs = clock.monotonic() + milliseconds;
    await turn();
    while (clock.next(untilMs)) await turn(); // oxlint-disable-line no-await-in-loop -- in order
    await turn();
  };
  return { reference, clock, asked, found, pass };
}

test("what was spent on looking for a slot to go by is taken off the time for the answer", async () => {
  const { reference, asked, found, pass } = away("slow");
  const answer = reference.ask("open", undefined, { timeoutMs: 5000 });
  await pass(2000);
  found("other");
  assert.is(await answer, "by another slot");
  assert.equal(asked, [{ timeoutMs: 3000, way: "other" }]);
  await reference.ask("open", undefined, { timeoutMs: Infinity });
  assert.is(asked[1]?.timeoutMs, Infinity);
});

test("nobody looks for a slot for longer than for an answer, or than five seconds once none is found", async () => {
  const { reference, clock, asked, pass, found } = away("nowhere");
  const short = failure(() => reference.ask("open", undefined, { timeoutMs: 700 }), "ACTOR_UNREACHABLE");
  await pass(700);
  await short;
  const long = failure(() => reference.ask("open", undefined, { timeoutMs: 60_000 }), "ACTOR_UNREACHABLE");
  found(undefined);
  await pass(5000);
  await long;
  assert.is(clock.next(Infinity), false, "nothing is waited for any more");
  assert.equal(asked, []);
});

test("who gives up is heeded while a slot is looked for", async () => {
  const { reference, clock, pass } = away("given up");
  const stop = new AbortController();
  const given = failure(() => reference.ask("open", undefined, { signal: stop.signal }), "ABORTED");
  await pass(100);
  stop.abort();
  await given;
  await failure(() => reference.ask("open", undefined, { signal: stop.signal }), "ABORTED");
  assert.is(clock.next(Infinity), false);
});

test("a node that comes is used at once", async () => {
  const node = new NodeUnderTest();
  const { reference, found, pass } = away("late", node);
  const answers = [reference.ask("open"), reference.ask("open")];
  found(undefined);
  await pass(1000);
  const leave = nodeIsHere(
    { system: "late", reach: "slots" },
    { node: node.node, binder: localBinder(node.node), slot: "late" },
  );
  await pass(0);
  await node.settle();
  assert.equal(await Promise.all(answers), ["from nine", "from nine"]);
  leave();
});

test("where no slot is, nothing is waited for", async () => {
  const { reference } = away("gone");
  guestsCome("gone", undefined as never);
  await failure(() => reference.ask("open"), "ACTOR_UNREACHABLE");
});

test.run();
