import { refuseTimers } from "../../actors/channel/refuse-timers.ts";
import type { OperatorContext } from "../core/contracts/context.ts";
import type { Outputs } from "../core/contracts/operator.ts";
import type { TestContext } from "./test-context.ts";

// More than an operator sets on purpose for one call.
const timersMax = 100_000;

/**
 * Lets time pass for an operator that is called by hand: `ctx.now()` moves on, and the timers that it comes to go off, in order.
 *
 * @param ctx - a context of `testContext` with its own clock
 * @param ms - milliseconds that pass
 * @returns what `onTimer` gave
 * @throws QStreamError OPTION_INVALID for a timer of an operator without `onTimer`; Error for timers that no time passes between
 * @example
 * const ctx = testContext();
 * batcher.execute({ input: "in", objects: [1, 2] }, ctx);
 * assert.deepEqual(await passTime(batcher, ctx, 20), [[1, 2]]);
 */
export async function passTime<Out>(
  operator: { readonly onTimer?: (name: string, ctx: OperatorContext) => Outputs<Out> },
  ctx: TestContext,
  ms: number,
): Promise<Out[]> {
  const until = ctx.nowMs + ms;
  const objects: Out[] = [];
  for (let count = 0; ; count++) {
    const [next] = ctx.timers.list();
    if (next === undefined || next[1] > until || ctx.stopped) break;
    const [name, at] = next;
    refuseTimers(operator.onTimer !== undefined, true);
    if (count === timersMax) throw new Error(`${timersMax} timers went off within ${ms} ms, "${name}" last`);
    ctx.nowMs = Math.max(ctx.nowMs, at);
    ctx.timers.goOff(name);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const given = await operator.onTimer?.(name, ctx);
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (given !== undefined) for await (const object of given) objects.push(object);
    ctx.seq += 1;
  }
  ctx.nowMs = until;
  return objects;
}
