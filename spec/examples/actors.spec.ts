import fc from "fast-check";
import * as assert from "uvu/assert";
import { bankDay } from "../../examples/actors.ts";
import { suite } from "../kit/suite.ts";
import { onThisMachine, printedBy } from "./running.ts";

const test = suite("example actors");
const owners = ["ann", "bob", "cem"];
const cents = (text = ""): number => Number(text.replaceAll(",", ""));
const owner = fc.constantFrom(...owners);

onThisMachine(test, "no cent is lost or made, however often tellers stumble", async () => {
  const transfers = fc.array(fc.record({ from: owner, to: owner, cents: fc.integer({ min: 0, max: 1500 }) }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(transfers, fc.constantFrom(0, 0.3, 0.9), async (all, stumbles) => {
      const evening = await bankDay({ owners, transfers: all, openingCents: 1000, stumbles });
      assert.equal(evening.balances, evening.audited);
      assert.is(
        Object.values(evening.balances).reduce((sum, cents) => sum + cents, 0),
        3000,
      );
      assert.ok(Object.values(evening.balances).every((cents) => cents >= 0));
      assert.is(evening.done + evening.overdrawn + evening.stumbled, all.length);
      if (stumbles === 0) assert.is(evening.stumbled, 0);
    }),
    { numRuns: 30 },
  );
});

onThisMachine(test, "prints the balances", async () => {
  const text = await printedBy("actors");
  const rows = [...text.matchAll(/^\w+ +([\d,]+) +([\d,]+)\s*$/gm)].map(
    (row) => [cents(row[1]), cents(row[2])] as const,
  );
  assert.is(rows.length, 4, text);
  for (const [held, audited] of rows) assert.is(held, audited);
  assert.is(
    rows.reduce((sum, [held]) => sum + held, 0),
    8000,
  );
  assert.match(text, /^\d+ transfers done, \d+ refused, \d+ given back/m);
});

test.run();
