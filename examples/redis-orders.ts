/**
 * Orders come in on a Redis stream, and each customer's total is in a Redis hash while they do: also when the run is killed.
 *
 *     export REDIS_URL=redis://127.0.0.1:6379
 *     node dist/examples/redis-orders.js [--orders N]
 *
 * That fills the stream, adds it up and prints who bought most. The same in steps, with a kill -9 in the middle:
 *
 *     npx qstream run examples/redis-orders.ts#fill --arg redis=$REDIS_URL --arg orders=1000000
 *     timeout -s KILL 4 npx qstream run examples/redis-orders.ts --arg redis=$REDIS_URL --store $REDIS_URL
 *     npx qstream executions --store $REDIS_URL
 *     npx qstream run examples/redis-orders.ts --resume run-... --store $REDIS_URL
 *     redis-cli -u $REDIS_URL hget orders:totals ada
 *
 * Lineage and checkpoints are in the same Redis, so another machine could go on just as well. No order is missing in the
 * totals and none is in them twice: the reader goes on behind the last id of its checkpoint, the sums are restored from
 * theirs, and a task that the sink has written is passed over. With `until` left out the reader would wait for more orders,
 * until the run is stopped.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { createClient } from "redis";
import { defineFlow, formatTable, hash, numbers, redisStream, type Operator, type Stateful, type Task } from "qstream";

export type Order = { readonly customer: string; readonly cents: number };
export type Total = { readonly customer: string; readonly orders: number; readonly cents: number };

const ordersStream = "orders";
const totalsHash = "orders:totals";
const customers = ["ada", "bo", "cleo", "dmitri", "edda", "femi", "grace"];

/** The order with a number: the same one each time, as a reader must. */
export function orderOf(n: number): Order {
  return { customer: customers[(n * n + (n >> 3)) % customers.length] ?? "", cents: 100 + ((n * 7919) % 9000) };
}

/** The totals of a channel's customers; after each task, those that have changed. */
class Totals implements Operator<{ in: Order }, Total>, Stateful<Map<string, Total>> {
  #totals = new Map<string, Total>();

  execute({ objects }: Task<{ in: Order }>): Total[] {
    const changed = new Set<string>();
    for (const { customer, cents } of objects) {
      const before = this.#totals.get(customer);
      const sums = { orders: (before?.orders ?? 0) + 1, cents: (before?.cents ?? 0) + cents };
      this.#totals.set(customer, { customer, ...sums });
      changed.add(customer);
    }
    return [...changed].flatMap((customer) => this.#totals.get(customer) ?? []);
  }

  snapshot(): Map<string, Total> {
    return this.#totals;
  }

  restore(totals: Map<string, Total>): void {
    this.#totals = totals;
  }
}

const totals = defineFlow(import.meta.url, { redis: "string" }, (q, { redis }) => {
  const sums = q
    .read("orders", redisStream<Order>(redis, { streams: ordersStream, json: "order", until: "end" }))
    .partition(hash("customer"))
    .apply("totals", () => new Totals());
  return { written: sums.writeRedis(redis, { hash: totalsHash, key: ({ customer }) => customer }) };
});

export default totals;

/** Puts orders into the stream, as shops would. */
export const fill = defineFlow(import.meta.url, { redis: "string", orders: "int32?" }, (q, args) => {
  const orders = q.read("numbers", numbers(0, args.orders ?? 100_000)).map("order", orderOf);
  return {
    filled: orders.writeRedis(args.redis, {
      stream: ordersStream,
      fields: (order) => ({ order: JSON.stringify(order) }),
    }),
  };
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main().catch((error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { orders: { type: "string", default: "100000" } } });
  const redis = process.env["REDIS_URL"];
  if (redis === undefined) throw new Error("Set REDIS_URL to the Redis to work on: redis://127.0.0.1:6379");
  await fill.run({ redis, orders: Number(values.orders) }, { store: redis });
  await totals.run({ redis }, { store: redis });
  const client = await createClient({ url: redis }).connect();
  const written = Object.values(await client.hGetAll(totalsHash)).map((text) => JSON.parse(text) as Total);
  console.log(formatTable(written.toSorted((a, b) => b.cents - a.cents)));
  client.destroy();
}
