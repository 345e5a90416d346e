import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import spread, { flood, slow } from "./spread-kinds.ts";

const test = suite("floods between slots");

for (const isolation of ["thread", "none"] as const) {
  test(`who sends to a full mailbox in another slot is held, and nothing is lost (${isolation})`, async () => {
    await using system = await spread.start({ slots: 2, isolation });
    const to = system.spawn(slow);
    const from = system.spawn(flood, to);
    const count = 60_000;
    from.tell("send", { count, bytes: 0 });
    let most = 0;
    for (let handled = 0; handled < count;) {
      // oxlint-disable-next-line no-await-in-loop -- looks now and then
      const [listed] = await system.list({ kind: "slow" });
      most = Math.max(most, listed?.waiting ?? 0);
      handled = listed?.handled ?? 0;
      // oxlint-disable-next-line no-await-in-loop -- looks now and then
      await wait(2);
    }
    assert.equal(await to.ask("taken"), { taken: count, order: true });
    // What waits is bounded by the mailbox, and by what is sent before news of it are there.
    assert.ok(most < 40_000, `${most} waited`);
  });
}

test("more than a frame holds is told in one turn, of very different sizes, and all of it arrives", async () => {
  await using system = await spread.start({ slots: 2, isolation: "process" });
  const to = system.spawn(slow);
  const from = system.spawn(flood, to);
  // One page of 1 MiB, which is in memory once.
  from.tell("sendPages", { count: 600, every: 2, bytes: 1 << 20 });
  while ((await to.ask("taken", undefined, { timeoutMs: 30_000 })).taken < 600) await wait(20); // oxlint-disable-line no-await-in-loop -- until all are there
  assert.equal(await to.ask("taken"), { taken: 600, order: true });
});

test("what is on its way is bounded in bytes", async () => {
  await using system = await spread.start({ slots: 2 });
  const to = system.spawn(slow);
  const from = system.spawn(flood, to);
  from.tell("send", { count: 100, bytes: 1 << 20 });
  while ((await to.ask("taken", undefined, { timeoutMs: 30_000 })).taken < 100) await wait(5); // oxlint-disable-line no-await-in-loop -- until all are there
  assert.equal(await to.ask("taken"), { taken: 100, order: true });
});

test.run();
