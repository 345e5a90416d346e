/**
 * Lesson 2: formats mix. The orders of lesson 1, with their customers from a file of JSON lines.
 *
 *     node dist/examples/lessons/lesson2.js
 *
 * What a reader makes of a file is a stream of objects, and a join doesn't care which reader it was. CSV rows get their
 * types from a schema; JSON values are checked here by a function behind the reader, as any Standard Schema (zod,
 * valibot, arktype) given to `jsonLines` would do.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { csv, defineFlow, formatTable, jsonLines, schema } from "qstream";

const data = join(dirname(createRequire(import.meta.url).resolve("qstream/package.json")), "examples/data");
const orderColumns = schema({ order: "int32", customer: "int32", cents: "int32" });

type Customer = { readonly id: number; readonly country: string };

function isCustomer(value: unknown): value is Customer {
  const { id, country } = value as Partial<Customer>;
  return typeof id === "number" && typeof country === "string";
}

const lesson2 = defineFlow(import.meta.url, (q) => {
  const orders = q.read("orders", csv(join(data, "orders.csv"), { schema: orderColumns }));
  const customers = q.read("customers", jsonLines(join(data, "customers.jsonl"))).filter("customer", isCustomer);
  const joined = orders.join("join", customers, { left: "customer", right: "id" });
  const sums = joined.reduceByKey(
    "sum",
    ({ country }) => country,
    () => 0,
    (sum, { cents }) => sum + cents,
  );
  return { pairs: joined.count("count").collect(), sums: sums.collect() };
});

export default lesson2;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { pairs, sums } = await lesson2.run();
  console.log(`${pairs[0]} pairs\n\n${formatTable(sums.map(({ key, value }) => ({ country: key, cents: value })))}`);
}
