import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { ActorHost } from "../../../actors/hosts/actor-host.ts";
import { NactHost } from "../../../actors/hosts/nact-host.ts";
import { TurnHost } from "../../../actors/hosts/turn-host.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actor hosts");

const hosts: readonly { readonly name: string; readonly make: () => ActorHost }[] = [
  { name: "nact host", make: () => new NactHost() },
  { name: "turn host", make: () => turnHost(7) },
];

function turnHost(seed: number): TurnHost {
  return new TurnHost(seededRandom(seed), (turns) => void setImmediate(turns));
}

function unexpected(what: unknown): void {
  assert.unreachable(String(what));
}

async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

for (const { name, make } of hosts) {
  test(`${name}: messages of one actor are handled in order`, async () => {
    const host = make();
    const seen: number[] = [];
    const actor = host.spawn<number>("a", { receive: (message) => void seen.push(message), crashed: unexpected });
    for (let message = 0; message < 100; message++) actor.tell(message);
    assert.equal(seen, [], "nothing is handled while its sender runs");
    await settle(300);
    assert.equal(
      seen,
      Array.from({ length: 100 }, (_, index) => index),
    );
    host.close();
  });

  test(`${name}: one message at a time, also while a handler waits`, async () => {
    const host = make();
    let running = 0;
    let most = 0;
    const ends: number[] = [];
    const actor = host.spawn<number>("a", {
      receive: async (message) => {
        running++;
        most = Math.max(most, running);
        await wait(message === 0 ? 15 : 1);
        running--;
        ends.push(message);
      },
      crashed: unexpected,
    });
    for (const message of [0, 1, 2]) actor.tell(message);
    await wait(60);
    assert.equal(ends, [0, 1, 2]);
    assert.is(most, 1);
    host.close();
  });

  test(`${name}: a waiting actor doesn't hold back another`, async () => {
    const host = make();
    let release = (): void => {};
    const slow = host.spawn<string>("slow", {
      receive: () => new Promise<void>((resolve) => (release = resolve)),
      crashed: unexpected,
    });
    const seen: string[] = [];
    const quick = host.spawn<string>("quick", { receive: (message) => void seen.push(message), crashed: unexpected });
    slow.tell("x");
    quick.tell("y");
    await settle();
    assert.equal(seen, ["y"]);
    release();
    host.close();
  });

  for (const kind of ["throws", "rejects"] as const) {
    test(`${name}: an actor that ${kind} is told so, stops, and leaves the others alone`, async () => {
      const host = make();
      const crashes: unknown[] = [];
      const seen: string[] = [];
      const boom = new Error("boom");
      const bad = host.spawn<string>("bad", {
        receive: () => {
          if (kind === "throws") throw boom;
          return Promise.reject(boom);
        },
        crashed: (error) => void crashes.push(error),
      });
      const good = host.spawn<string>("good", { receive: (message) => void seen.push(message), crashed: unexpected });
      for (const message of ["first", "second", "third"]) bad.tell(message);
      good.tell("a");
      await settle();
      bad.tell("late");
      good.tell("b");
      await settle();
      assert.equal(crashes, [boom], "told once, for the first message only");
      assert.equal(seen, ["a", "b"]);
      assert.is(host.deadLetters, 3, "two that waited at the crash, and one that came after it");
      host.close();
    });
  }

  test(`${name}: after stop nothing is handled, and what waited or comes later is counted`, async () => {
    const host = make();
    const seen: string[] = [];
    const actor = host.spawn<string>("a", { receive: (message) => void seen.push(message), crashed: unexpected });
    actor.tell("before");
    await settle();
    actor.tell("waiting");
    actor.tell("waiting too");
    actor.stop();
    actor.stop();
    actor.tell("after");
    await settle();
    assert.equal(seen, ["before"]);
    assert.is(host.deadLetters, 3);
    host.close();
  });

  test(`${name}: a handler that fails after its actor was stopped is nobody's crash`, async () => {
    const host = make();
    let fail = (): void => {};
    const actor = host.spawn<string>("a", {
      receive: () => new Promise<void>((_, reject) => (fail = () => reject(new Error("late")))),
      crashed: unexpected,
    });
    actor.tell("x");
    await settle();
    actor.stop();
    fail();
    await settle();
    assert.is(host.deadLetters, 0);
    host.close();
  });

  test(`${name}: an actor may tell itself and spawn others`, async () => {
    const host = make();
    const seen: number[] = [];
    const counter = host.spawn<number>("counter", {
      receive: (left) => {
        seen.push(left);
        if (left > 0) counter.tell(left - 1);
        else
          host.spawn<number>("child", { receive: (message) => void seen.push(message), crashed: unexpected }).tell(99);
      },
      crashed: unexpected,
    });
    counter.tell(3);
    await settle(40);
    assert.equal(seen, [3, 2, 1, 0, 99]);
    host.close();
  });

  test(`${name}: hundreds of actors come and go`, async () => {
    const host = make();
    let handled = 0;
    for (let round = 0; round < 3; round++) {
      const actors = Array.from({ length: 300 }, (_, index) =>
        host.spawn<number>(`a${index}`, { receive: () => void handled++, crashed: unexpected }),
      );
      for (const actor of actors) actor.tell(1);
      await settle(400);
      for (const actor of actors) actor.stop();
    }
    assert.is(handled, 900);
    assert.is(host.deadLetters, 0);
    host.close();
  });

  test(`${name}: a closed host counts what it is told`, async () => {
    const host = make();
    const actor = host.spawn<number>("a", { receive: unexpected, crashed: unexpected });
    host.close();
    host.close();
    actor.tell(1);
    actor.stop();
    await settle();
    assert.is(host.deadLetters, 1);
  });
}

test("turn host: a seed gives one interleaving, and seeds give different ones", async () => {
  const interleaving = async (seed: number): Promise<string> => {
    const host = turnHost(seed);
    const seen: string[] = [];
    const actors = ["a", "b", "c", "d"].map((name) =>
      host.spawn<number>(name, { receive: (message) => void seen.push(`${name}${message}`), crashed: unexpected }),
    );
    for (let message = 0; message < 5; message++) for (const actor of actors) actor.tell(message);
    await settle(60);
    host.close();
    assert.is(seen.length, 20);
    return seen.join(" ");
  };
  assert.is(await interleaving(1), await interleaving(1));
  const different = new Set(await Promise.all([1, 2, 3, 4, 5].map(interleaving)));
  assert.ok(different.size >= 4, `${different.size} interleavings of 5 seeds`);
});

test.run();
