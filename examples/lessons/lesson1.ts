/**
 * Lesson 1: two readers, a join, and a count.
 *
 *     node dist/examples/lessons/lesson1.js
 *
 * Orders and customers come from two CSV files, in many small splits. Rows of the same customer meet in the same
 * channel of the join, because both inputs are partitioned by the hash of their key. Columns that aren't needed are
 * left behind on the edge, before anything is sent.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { csv, defineFlow, hash, hashJoin, schema } from "qstream";

const data = join(dirname(createRequire(import.meta.url).resolve("qstream/package.json")), "examples/data");
const orderColumns = schema({ order: "int32", customer: "int32", cents: "int32", comment: "string?" });
const customerColumns = schema({ id: "int32", country: "string", name: "string" });

type Order = { readonly customer: number; readonly cents: number };
type Customer = { readonly id: number; readonly country: string };

const lesson1 = defineFlow(import.meta.url, (q) => {
  const orders = q
    .read("orders", csv(join(data, "orders.csv"), { schema: orderColumns, splitBytes: 1024 }))
    .map("order columns", ({ customer, cents }): Order => ({ customer, cents }));
  const customers = q
    .read("customers", csv(join(data, "customers.csv"), { schema: customerColumns, splitBytes: 1024 }))
    .map("customer columns", ({ id, country }): Customer => ({ id, country }));

  // What the methods do for you, written out: an operator's definition, its inputs, and a partition function for each.
  const joined = q.apply(
    "join",
    { left: orders.partition(hash("customer")), right: customers.partition(hash("id")) },
    hashJoin({
      left: "customer",
      right: "id",
      combine: ({ cents }: Order, { country }: Customer) => ({ country, cents }),
    }),
    { channels: 3 },
  );

  return { pairs: joined.count("count").collect() };
});

export default lesson1;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log((await lesson1.run()).pairs);
}
