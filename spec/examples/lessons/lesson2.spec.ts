import * as assert from "uvu/assert";
import lesson2 from "../../../examples/lessons/lesson2.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../running.ts";
import { joinByLoop } from "./orders.ts";

const test = suite("example lesson 2");

function sumsByLoop(): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { country, cents } of joinByLoop()) sums.set(country, (sums.get(country) ?? 0) + cents);
  return sums;
}

onEveryTopology(test, "counts and sums what a nested loop does", async (session) => {
  const { pairs, sums } = await lesson2.run({}, { on: session });
  assert.equal(pairs, [joinByLoop().length]);
  assert.equal(new Map(sums.map(({ key, value }) => [key, value])), sumsByLoop());
});

onThisMachine(test, "prints a line for each country", async () => {
  const text = await printedBy("lessons/lesson2");
  for (const [country, cents] of sumsByLoop()) {
    assert.match(text, new RegExp(`^${country} +${cents.toLocaleString("en-US")}$`, "m"));
  }
});

test.run();
