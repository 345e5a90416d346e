// specs: waits
// A store that can't be opened when a node starts, and can later.
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { Keeping } from "../../../../actors/system/durable/keeping.ts";
import { startActors } from "../../../../lib/actors/actor-system.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorReference } from "../../../../lib/core/contracts/actor.ts";
import { systemClock } from "../../../../lib/core/seam/clock.ts";
import { NodeUnderTest } from "../../../kit/actor-node.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf, type Anything } from "./kept-system.ts";

const test = suite("a store that can't be opened at first");

const counter = actor({
  kind: "counter",
  durable: true,
  init: (_key: string) => ({ count: 0 }),
  receive: {
    add: (state) => ++state.count,
    addLater: (_state, ms: number, ctx) => void ctx.after(ms, "add"),
    count: ({ count }) => count,
  },
});

const folder = await mkdtemp(join(tmpdir(), "qstream-spec-opening-"));
test.after(() => rm(folder, { recursive: true, force: true }));

let stores = 0;

/** A store in whose place a file is, until that is taken away. */
async function blocked(): Promise<{ readonly store: string; readonly free: () => Promise<void> }> {
  const path = join(folder, String(++stores));
  const store = `lmdb:${path}/store`;
  const before = startActors({ store });
  await before.entity(counter, "timed").ask("addLater", 400);
  await before.close();
  await rename(path, `${path}.away`);
  await writeFile(path, "");
  const free = async (): Promise<void> => {
    await rm(path);
    await rename(`${path}.away`, path);
  };
  return { store, free };
}

test("who asks a system of one thread is told, and who asks later is answered", async () => {
  const { store, free } = await blocked();
  const events: string[] = [];
  const system = startActors({ store, onEvent: ({ kind }) => events.push(kind) });
  const add = (): Promise<number> => system.entity(counter, "a").ask("add");
  assert.is(await codeOf(add), "STORE_UNAVAILABLE");
  assert.is(await codeOf(add), "STORE_UNAVAILABLE");
  await free();
  assert.is(await add(), 1);
  assert.is(events.filter((kind) => kind === "store-away").length, 1);
  await system.close();
});

test("actors with something to do come back by themselves as soon as it can be", async () => {
  const { store, free } = await blocked();
  const system = startActors({ store, kinds: [counter], onEvent: () => {} });
  await wait(100);
  assert.is(system.metrics().actors, 0);
  await free();
  while (system.metrics().actors === 0) {
    // oxlint-disable-next-line no-await-in-loop -- until it is back
    await wait(10);
  }
  await wait(400);
  assert.is(await system.entity(counter, "timed").ask("count"), 1);
  await system.close();
});

/** A node whose durable actors wait for their store, as on a slot. */
function patientNode(store: string): { readonly under: NodeUnderTest; readonly keeping: Keeping } {
  const keeping = new Keeping({ store, seed: 1, clock: systemClock, waitsToOpen: true });
  const under = new NodeUnderTest({ clock: systemClock, durable: (node) => keeping.start(node) });
  keeping.meet([counter]);
  return { under, keeping };
}

async function answerOf(under: NodeUnderTest, asked: Promise<unknown>): Promise<unknown> {
  let answer: { readonly value: unknown } | undefined;
  void asked.then(
    (value) => (answer = { value }),
    (value: unknown) => (answer = { value }),
  );
  while (answer === undefined) {
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    await under.settle();
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    await wait(5);
  }
  return answer.value;
}

function ask(under: NodeUnderTest): Promise<unknown> {
  const reference = under.node.entity(definedActor(counter), "a") as ActorReference<Anything>;
  return reference.ask("add", undefined, { timeoutMs: 30_000 });
}

test("on a slot actors wait for it, and who watches is told", async () => {
  const { store, free } = await blocked();
  const { under, keeping } = patientNode(store);
  const asked = answerOf(under, ask(under));
  await wait(100);
  assert.equal(
    under.events.map(({ kind }) => kind),
    ["store-away"],
  );
  await free();
  assert.is(await asked, 1);
  under.node.close();
  await keeping.close();
});

test("a node that waits for its store is closed at once", async () => {
  const { store } = await blocked();
  const { under, keeping } = patientNode(store);
  const asked = answerOf(under, ask(under));
  await wait(300);
  under.node.close();
  const begun = performance.now();
  await keeping.close();
  assert.ok(performance.now() - begun < 500);
  assert.is(((await asked) as { readonly code?: string }).code, "SESSION_CLOSED");
});

test.run();
