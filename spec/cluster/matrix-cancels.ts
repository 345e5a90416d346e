// Executions that are cancelled at all times, and what is left of them.

import { readdirSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { QStreamError, type Execution } from "../../lib/index.ts";
import { until } from "../actors/transport/wire/wires.ts";
import { qstream } from "../lib/cli/command.ts";
import { childrenOf } from "./children.ts";
import { happens } from "./happens.ts";
import { assertNextRuns, patienceMs, type MatrixWorld } from "./matrix-world.ts";
import { taggedSums } from "./placed-flows.ts";
import { SteadyRun } from "./steady-run.ts";

const goneWithinMs = 5000;
/** In which what is kept for a moment goes. */
const idleMs = 2000;

/** What a cluster has, and doesn't have more of soon after something was cancelled than while it ran nothing. */
interface Traces {
  readonly drivers: number;
  readonly files: readonly string[];
  /** Of the machine that has most. */
  readonly handles: number;
  readonly threads: number;
}

/** Gives the execution that it has cancelled. */
type Cancels = (world: MatrixWorld) => Promise<Execution<unknown>>;

const late = "about to end";
const neverPlaced: readonly string[] = ["just submitted", "waiting to be placed"];

const times: Readonly<Record<string, Cancels>> = {
  "just submitted": async ({ session, folder }) => {
    const { execution } = await SteadyRun.start(session, folder);
    execution.cancel();
    return execution;
  },
  "waiting to be placed": async ({ session, folder }) => {
    const args = { count: 1000, gate: `${folder}/never`, waitMs: 60_000 };
    const execution = await taggedSums.start(args, { on: session });
    await happens(execution, "waiting");
    execution.cancel();
    return execution;
  },
  placed: async ({ session, folder }) => {
    const { execution } = await SteadyRun.start(session, folder);
    await happens(execution, "placed");
    execution.cancel();
    return execution;
  },
  running: async ({ session, folder }) => {
    const steady = await SteadyRun.begin(session, folder);
    await steady.reads(5000);
    steady.execution.cancel();
    return steady.execution;
  },
  recovering: async ({ session, folder, machines }) => {
    const { execution } = await SteadyRun.begin(session, folder);
    const killed = machines.machines.pop();
    const others = machines.addMachine();
    await killed?.kill();
    await happens(execution, "slot-lost");
    execution.cancel();
    await others;
    return execution;
  },
  "without Redis": async ({ session, folder, redis }) => {
    const { execution } = await SteadyRun.begin(session, folder);
    redis.pause();
    await wait(500);
    execution.cancel();
    await wait(2000);
    redis.resume();
    return execution;
  },
  [late]: async ({ session, folder }) => {
    const steady = await SteadyRun.begin(session, folder);
    steady.hurry();
    await until(() => (steady.execution.metrics?.steps ?? []).some(({ channelsDone }) => channelsDone > 0), patienceMs);
    steady.execution.cancel();
    // It may have been too late.
    await steady.execution.outputs.then(
      (outputs) => steady.isRight(outputs),
      () => {},
    );
    return steady.execution;
  },
};

/** Cancels at each of these times. All that isn't kept to go on with is gone soon, and what is kept is when it is removed. */
export async function cancelledAnyTime(world: MatrixWorld): Promise<string> {
  const { session, redis } = world;
  const client = createClient({ url: redis.url });
  await client.connect();
  await assertNextRuns(session);
  await wait(idleMs);
  const idle = tracesOf(world);
  const measured: string[] = [];
  const ids: string[] = [];
  for (const [when, cancel] of Object.entries(times)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { id, outputs } = await cancel(world);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const outcome = await outputs.then(
      () => "DONE",
      (error: unknown) => (error instanceof QStreamError ? error.code : String(error)),
    );
    assert.ok(outcome === "ABORTED" || (outcome === "DONE" && when === late), `${when}: ${outcome}`);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const goneMs = await goneAfter(world, idle);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const keys = await client.keys(`*${id}*`);
    measured.push(`${when}: ${outcome}, ${goneMs} ms, ${keys.length} keys`);
    const kept = [`qstream:{${id}}:`, listedAs(id)];
    assert.ok(
      keys.every((key) => kept.some((begin) => key.startsWith(begin))),
      keys.join(),
    );
    if (neverPlaced.includes(when)) assert.equal(keys, [listedAs(id)]);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await assertNextRuns(session);
    ids.push(id);
  }
  const { code, stderr } = await qstream(["executions", "remove", "--all", "--store", redis.url]);
  assert.is(code, 0, stderr);
  const left = await Promise.all(ids.map((id) => client.keys(`*${id}*`)));
  assert.equal(left.flat(), ids.map(listedAs));
  assert.equal(hiddenFilesBelow(world.folder), []);
  await client.close();
  return measured.join("; ");
}

/** Gives the milliseconds that it takes until a cluster has no more than one that runs nothing. */
async function goneAfter(world: MatrixWorld, idle: Traces): Promise<number> {
  const acknowledged = performance.now();
  const elapsed = (): number => Math.round(performance.now() - acknowledged);
  for (;;) {
    const now = tracesOf(world);
    const left = `${JSON.stringify(idle)} has become ${JSON.stringify(now)}`;
    if (isNoMoreThan(now, idle)) return elapsed();
    assert.ok(elapsed() < goneWithinMs, left);
    // oxlint-disable-next-line no-await-in-loop -- look by look
    await wait(50);
  }
}

/** What the head remembers of an execution that has ended. */
function listedAs(id: string): string {
  return `qstream:{cluster}:execution:${id}`;
}

function tracesOf({ machines, folder }: MatrixWorld): Traces {
  const most = (of: string): number =>
    Math.max(...machines.machines.map(({ pid }) => readdirSync(`/proc/${pid}/${of}`).length));
  return {
    drivers: childrenOf(machines.head.pid).length,
    // Code stays for the next execution.
    files: readdirSync(folder).filter((name) => name.startsWith("qstream-") && !name.startsWith("qstream-code-")),
    handles: most("fd"),
    threads: most("task"),
  };
}

function isNoMoreThan(now: Traces, idle: Traces): boolean {
  return (
    now.drivers <= idle.drivers &&
    now.files.length <= idle.files.length &&
    now.handles <= idle.handles &&
    now.threads <= idle.threads
  );
}

/** What sinks have begun to write. */
function hiddenFilesBelow(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => /^run-\d+\/out\/\./u.test(name));
}
