import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { actor, startActors } from "../../../lib/index.ts";
import { actorContract } from "../../contract/actors.ts";
import { counter, gate } from "../../contract/actor-kinds.ts";
import { projectFolder } from "../../kit/sources.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors in this thread");

actorContract(test, { name: "this thread", start: async (options) => startActors(options) });

test("metrics tell what was done, and what actors count", async () => {
  await using system = startActors({ onEvent: () => {} });
  const counting = actor({
    init: () => 0,
    receive: {
      go(_state, amount: number, ctx) {
        ctx.count("calls");
        ctx.count("amount", amount);
      },
    },
  });
  const [one, other] = [system.spawn(counting), system.spawn(counter, 1)];
  for (const amount of [5, 7]) one.tell("go", amount);
  await other.ask("fail", "broken").catch(() => {});
  system.stop(one);
  one.tell("go", 9);
  assert.is(await other.ask("get"), 1);
  const { handled, ...metrics } = system.metrics();
  assert.equal(metrics, {
    actors: 1,
    spawned: 2,
    ended: 1,
    failed: 1,
    restarted: 1,
    deadLetters: 1,
    dropped: 0,
    counters: { calls: 2, amount: 12 },
  });
  assert.is(handled, 2 + 2 + 1 + 1 + 1);
});

test("random numbers are those of the seed", async () => {
  const dice = actor({ init: () => 0, receive: { roll: (_state, _: undefined, ctx) => [ctx.random(), ctx.random()] } });
  const rolls = await Promise.all(
    [1, 1, 2].map(async (seed) => {
      await using system = startActors({ seed });
      const [one, other] = [system.spawn(dice), system.spawn(dice)];
      return [await one.ask("roll"), await other.ask("roll")];
    }),
  );
  assert.equal(rolls[0], rolls[1]);
  assert.not.equal(rolls[0], rolls[2]);
  assert.not.equal(rolls[0]?.[0], rolls[0]?.[1]);
});

test("close waits for those at work", async () => {
  const system = startActors();
  const target = system.spawn(gate);
  const slept = target.ask("sleep", 30, { timeoutMs: Infinity }).catch((error: { code: string }) => error.code);
  let isDone = false;
  const other = actor({
    init: () => 0,
    receive: { go() {} },
    stopped: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      isDone = true;
    },
  });
  await system.spawn(other).ask("go");
  await system.close();
  assert.ok(isDone);
  assert.is(system.metrics().actors, 0);
  assert.is(await slept, "SESSION_CLOSED");
});

test("a process goes on as long as it has a system that isn't closed, and no longer", async () => {
  const program = `
    import { actor, startActors } from "qstream";
    const later = actor({
      init: () => 0,
      receive: { go: (state, _, ctx) => void ctx.after(50, "done"), done: () => { console.log("done"); void system.close(); } },
    });
    const system = startActors();
    system.spawn(later).tell("go");
  `;
  const args = ["--input-type=module", "--eval", program];
  const cwd = join(projectFolder, "dist");
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
  assert.is(stdout, "done\n");
});

test.run();
