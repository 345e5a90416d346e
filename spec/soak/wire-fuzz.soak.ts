// specs: timeout 90 s
// A million damaged messages: each is refused, and memory doesn't grow with them.

import * as assert from "uvu/assert";
import { readNonsense } from "../actors/transport/wire/nonsense.ts";
import { suite } from "../kit/suite.ts";

const test = suite("a million damaged messages");

test("every one is refused, and none is remembered", () => {
  readNonsense(50_000, 1);
  const before = process.memoryUsage.rss();
  let refused = 0;
  for (let share = 0; share < 20; share++) refused += readNonsense(50_000, 100 + share).total;
  assert.is(refused, 1_000_000);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  assert.ok(grown < 150, `memory grew by ${Math.round(grown)} MiB`);
}, 85_000);

test.run();
