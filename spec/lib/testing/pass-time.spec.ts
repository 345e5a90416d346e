import * as assert from "uvu/assert";
import type { Operator, OperatorContext, Task } from "../../../lib/index.ts";
import { passTime, testContext } from "../../../lib/testing/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("time for operators that are called by hand");

/** Gives what it has after 20 ms of silence, and says every 50 ms that it is there. */
class Batcher implements Operator<{ in: number }, string> {
  #held: number[] = [];

  open(ctx: OperatorContext): void {
    ctx.timers.set("beat", 50);
  }

  execute({ objects }: Task<{ in: number }>, ctx: OperatorContext): void {
    this.#held.push(...objects);
    ctx.timers.set("flush", 20);
  }

  async *onTimer(name: string, ctx: OperatorContext): AsyncGenerator<string> {
    if (name === "beat") {
      ctx.timers.set(name, 50);
      yield `${ctx.now()}: here`;
    } else {
      yield `${ctx.now()}: ${this.#held.join()}`;
      this.#held = [];
    }
  }
}

test("timers go off in their order, each at its time", async () => {
  const ctx = testContext();
  const batcher = new Batcher();
  batcher.open(ctx);
  batcher.execute({ input: "in", objects: [1, 2] }, ctx);
  assert.equal(await passTime(batcher, ctx, 19), []);
  batcher.execute({ input: "in", objects: [3] }, ctx);
  assert.equal(ctx.timers.list(), [
    ["flush", 39],
    ["beat", 50],
  ]);
  assert.equal(await passTime(batcher, ctx, 100), ["39: 1,2,3", "50: here", "100: here"]);
  assert.equal([ctx.now(), ctx.nowMs, ctx.seq], [119, 119, 3]);
  assert.is(ctx.timers.goOff("beat"), 150);
  assert.is(ctx.timers.goOff("beat"), undefined);
});

test("a timer without onTimer, and one without an end, are found", async () => {
  const ctx = testContext({ seed: 2 });
  ctx.timers.set("flush", 1);
  assert.equal(await passTime({}, ctx, 0.5), []);
  assert.match((await failure(() => passTime({}, ctx, 1), "OPTION_INVALID")).message, /onTimer/u);
  const again = { onTimer: (name: string): void => ctx.timers.set(name, 0) };
  const error = await passTime(again, ctx, 1).catch((thrown: unknown) => thrown);
  assert.match(String(error), /100000 timers went off within 1 ms, "flush" last/u);
});

test.run();
