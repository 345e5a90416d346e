import * as assert from "uvu/assert";
import { suite } from "../../../kit/suite.ts";
import { RandomLosses } from "./random-losses.ts";

const test = suite("actors of several nodes, some of which are lost at any time");

const seeds = 300;
// A name stays with an actor that has ended, as it was taken; a child's failure is its parent's while that handles something; an
// actor that is awaited has a watcher that is lost meanwhile.
const seedsThatFound = [4571, 4890, 5158, 1011, 7985];
// Reading what a node keeps in private takes its time.
const seedsPerLookInside = 10;

test("whatever is lost, what is promised of messages, questions, ends, names and topics is kept, and nothing is left", async () => {
  let [heard, told] = [0, 0];
  // What is refused is refused many times, and nobody looks at where.
  Error.stackTraceLimit = 0;
  for (const seed of [...seedsThatFound, ...Array.from({ length: seeds }, (_, index) => index + 1)]) {
    const world = new RandomLosses(seed);
    try {
      // oxlint-disable-next-line no-await-in-loop -- they share a thread
      await world.check(seed % seedsPerLookInside === 0);
    } catch (error) {
      const again = `node dist/spec/actors/system/distant/run-losses.js ${seed} 1`;
      throw new Error(`seed ${seed} (${again}): ${String(error)}`, { cause: error });
    }
    heard += world.oracle.heard;
    told += world.oracle.told;
  }
  assert.ok(heard > seeds * 30, `${heard} messages came`);
  assert.ok(told > seeds * 5, `${told} ends were told`);
});

test.run();
