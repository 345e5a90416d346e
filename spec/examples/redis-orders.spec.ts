// specs: timeout 120 s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import totals, { fill, orderOf, type Total } from "../../examples/redis-orders.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";
import { projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example redis-orders");
const few = 3000;
const many = 40_000;
const program = join(projectFolder, "dist/examples/redis-orders.js");
const command = join(projectFolder, "dist/lib/cli/main.js");

let server: RedisServer;
let client: ReturnType<typeof createClient>;

/** The URL of the server, which has nothing then. */
async function emptyRedis(): Promise<string> {
  await client.flushAll();
  return server.url;
}

/** What a plain loop gives for that many orders, by customer. */
function expectedTotals(orders: number): Record<string, Total> {
  const sums: Record<string, Total> = {};
  for (let n = 0; n < orders; n++) {
    const { customer, cents } = orderOf(n);
    const before = sums[customer] ?? { customer, orders: 0, cents: 0 };
    sums[customer] = { customer, orders: before.orders + 1, cents: before.cents + cents };
  }
  return sums;
}

async function writtenTotals(): Promise<Record<string, Total>> {
  const written = Object.entries(await client.hGetAll("orders:totals"));
  return Object.fromEntries(written.map(([customer, text]) => [customer, JSON.parse(text) as Total]));
}

/** Runs the flow by the command line, and kills it (kill -9) as soon as some orders, but not all, are in the totals. */
async function killedRun(redis: string): Promise<void> {
  const words = ["run", program, "--arg", `redis=${redis}`];
  const child = spawn(process.execPath, [command, ...words, "--store", redis], { stdio: "ignore" });
  const ended = once(child, "exit");
  while (child.exitCode === null && Object.keys(await writtenTotals()).length === 0) await wait(2);
  assert.ok(child.kill("SIGKILL"), "it ended before it could be killed");
  await ended;
}

async function countedOrders(): Promise<number> {
  return Object.values(await writtenTotals()).reduce((sum, { orders }) => sum + orders, 0);
}

if (await hasRedisServer()) {
  test.before(async () => {
    server = await startRedisServer();
    client = createClient({ url: server.url });
    await client.connect();
  });
  test.after(async () => {
    client.destroy();
    await server.stop();
  });

  onEveryTopology(test, "adds up what was put into the stream", async (session) => {
    const redis = await emptyRedis();
    const { filled } = await fill.run({ redis, orders: few }, { on: session });
    assert.is(filled.objects, few);
    await totals.run({ redis }, { on: session });
    assert.equal(await writtenTotals(), expectedTotals(few));
  });

  onThisMachine(
    test,
    "goes on after kill -9, as its head says: no order is missing, and none counts twice",
    async () => {
      const redis = await emptyRedis();
      await fill.run({ redis, orders: many }, { slots: 2, store: "memory" });
      await killedRun(redis);
      const before = await countedOrders();
      assert.ok(before > 0 && before < many, `${before} of ${many} orders when it was killed`);
      const listed = await qstream(["executions", "--json", "--store", redis]);
      const [{ execution, flow } = { execution: "", flow: "" }] = JSON.parse(listed.stdout) as (
        | { readonly execution: string; readonly flow: string }
        | undefined
      )[];
      assert.is(flow, "redis-orders");
      const words = ["run", program, "--resume", execution];
      const ended = await qstream([...words, "--store", redis]);
      assert.is(ended.code, 0, ended.stderr);
      assert.equal(await writtenTotals(), expectedTotals(many));
    },
    60_000,
  );

  onThisMachine(
    test,
    "as a program, it starts from nothing but a Redis, and prints who bought most",
    async () => {
      const text = await printedBy("redis-orders", ["--orders", String(few)], { REDIS_URL: await emptyRedis() });
      const most = Object.values(expectedTotals(few)).toSorted((a, b) => b.cents - a.cents)[0];
      assert.match(text, new RegExp(`^customer +orders +cents\n-.*\n${most?.customer} `, "u"));
    },
    60_000,
  );
}

test.run();
