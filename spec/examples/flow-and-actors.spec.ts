import fc from "fast-check";
import * as assert from "uvu/assert";
import { cents, marketDay, type Order } from "../../examples/flow-and-actors.ts";
import { local } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { onThisMachine, printedBy } from "./running.ts";

const test = suite("example flow-and-actors");
const order = fc.record({
  customer: fc.constantFrom("ann", "bob", "cem"),
  item: fc.constantFrom("tea", "cake", "jam"),
  pieces: fc.integer({ min: 1, max: 5 }),
});
const shops = fc.array(fc.array(order, { maxLength: 250 }), { minLength: 1, maxLength: 4 });

function owed(orders: readonly (readonly Order[])[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { customer, item, pieces } of orders.flat()) {
    sums[customer] = (sums[customer] ?? 0) + pieces * (cents[item] ?? 0);
  }
  return sums;
}

for (const isolation of ["none", "thread", "process"] as const) {
  onThisMachine(test, `each order is billed once (${isolation})`, async () => {
    await using session = await local({ slots: 2, isolation, store: "memory" });
    await fc.assert(
      fc.asyncProperty(shops, async (orders) => {
        assert.equal(Object.fromEntries(await marketDay(session, orders)), owed(orders));
      }),
      { numRuns: isolation === "none" ? 10 : 4 },
    );
  });
}

onThisMachine(test, "prints what customers owe", async () => {
  const text = await printedBy("flow-and-actors", ["--slots", "2"]);
  const rows = [...text.matchAll(/^(ann|bob|cem|dora) +([\d,]+)\s*$/gmu)];
  assert.is(rows.length, 4, text);
  for (const [, customer, sum] of rows) assert.ok(Number(sum?.replaceAll(",", "")) > 100_000, customer);
});

test.run();
