// What may happen to Redis.

import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { QStreamError } from "../../lib/index.ts";
import { until } from "../actors/transport/wire/wires.ts";
import { assertNextRuns, assertNothingMoved, patienceMs, type MatrixWorld } from "./matrix-world.ts";
import { SteadyRun } from "./steady-run.ts";

/** It doesn't answer for a second, and for ten. */
export async function frozenStore({ session, redis, folder }: MatrixWorld): Promise<string> {
  const steady = await SteadyRun.begin(session, folder);
  const measured: string[] = [];
  for (const seconds of [1, 10]) {
    redis.pause();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await wait(500);
    const before = steady.rowsRead;
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(seconds * 1000 - 500);
    const meanwhile = steady.rowsRead - before;
    redis.resume();
    // oxlint-disable-next-line no-await-in-loop -- see above
    const backMs = await backAfter(steady);
    // After more than a lease one machine may hear of it so much later than another that it is done without: that costs its work only.
    if (seconds === 1) assertNothingMoved(steady);
    measured.push(`${seconds} s: ${meanwhile} rows meanwhile, on again after ${backMs} ms`);
  }
  await steady.endsRight();
  measured.push(`${steady.count("slot-lost")} slots lost`);
  return measured.join("; ");
}

/** It takes no more than it has. */
export async function fullStore({ session, redis, folder, leaseMs }: MatrixWorld): Promise<string> {
  const steady = await SteadyRun.begin(session, folder);
  const client = createClient({ url: redis.url });
  await client.connect();
  const [, used = ""] = /^used_memory:(\d+)/mu.exec(await client.info("memory")) ?? [];
  await client.configSet("maxmemory", String(Number(used) + 50_000));
  const started = performance.now();
  await standsStill(steady);
  const [read, stoodAfter] = [steady.rowsRead, Math.round(performance.now() - started)];
  await wait(leaseMs);
  const { executions } = await session.list();
  const now = executions.find(({ execution }) => execution === steady.execution.id);
  assert.is(now?.status, "running", now?.error);
  await client.configSet("maxmemory", "0");
  await client.close();
  const backMs = await backAfter(steady);
  await steady.endsRight();
  assertNothingMoved(steady);
  return `stood still within ${stoodAfter} ms, at ${read} rows; on again after ${backMs} ms`;
}

/** It is started again without what it wrote last. */
export async function storeBehind({ session, redis, folder }: MatrixWorld): Promise<string> {
  const measured: string[] = [];
  for (const behindMs of [0, 300, 2500]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const steady = await SteadyRun.begin(session, folder);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await redis.remember();
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(behindMs);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await redis.restart({ behind: true });
    // oxlint-disable-next-line no-await-in-loop -- see above
    const outcome = await outcomeOf(steady.endsRight());
    measured.push(`${behindMs} ms behind: ${outcome}`);
    if (outcome !== "right") {
      const resumed = steady.resume(session).then((again) => again.endsRight());
      // oxlint-disable-next-line no-await-in-loop -- see above
      measured.push(`resumed: ${await outcomeOf(resumed)}`);
    }
    const started = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- see above
    await assertNextRuns(session);
    measured.push(`the next is done after ${Math.round(performance.now() - started)} ms`);
  }
  return measured.join(", ");
}

const losses: readonly string[] = ["EXECUTION_UNKNOWN", "LINEAGE_REGRESSED", "STORE_LOST"];

/** Right, or an error that says that something was lost. */
async function outcomeOf(ended: Promise<void>): Promise<string> {
  try {
    await ended;
    return "right";
  } catch (error) {
    if (error instanceof QStreamError && losses.includes(error.code)) return error.code;
    throw error;
  }
}

/** How long it takes until an execution reads again. */
async function backAfter(steady: SteadyRun): Promise<number> {
  const [started, before] = [performance.now(), steady.rowsRead];
  await until(() => steady.rowsRead > before, patienceMs);
  return Math.round(performance.now() - started);
}

async function standsStill(steady: SteadyRun): Promise<void> {
  let [last, since] = [-1, 0];
  await until(() => {
    if (steady.rowsRead !== last) [last, since] = [steady.rowsRead, performance.now()];
    return performance.now() - since > 3000;
  }, patienceMs);
}
