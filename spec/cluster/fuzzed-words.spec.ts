// Words of all protocols of a cluster with parts left out, of other types, out of range or with holes: each is taken or refused, and no
// machine, driver, head or worker throws. As many as a million: spec/soak/mutations.soak.ts.
import * as assert from "uvu/assert";
import { inSlot, suite } from "../kit/suite.ts";
import { fuzzDrivers, fuzzHeads, fuzzMachines, fuzzWorkers, type Fuzzed } from "./fuzzed-words.ts";

const test = suite("fuzzed words");

if (!inSlot) {
  const count = 1000;
  for (const [who, fuzz] of Object.entries({
    machines: fuzzMachines,
    drivers: fuzzDrivers,
    heads: fuzzHeads,
    workers: fuzzWorkers,
  })) {
    test(`${who} refuse or take each of ${count} wrong words`, async () => {
      const { taken, refused }: Fuzzed = await fuzz(count, 7);
      assert.is(taken + refused, count);
      assert.ok(refused > count / 4 && taken > count / 50, `${taken} taken, ${refused} refused`);
    });
  }
}

test.run();
