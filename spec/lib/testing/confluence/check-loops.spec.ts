import * as assert from "uvu/assert";
import { defineFlow, hash, numbers } from "../../../../lib/index.ts";
import { checkFlow } from "../../../../lib/testing/index.ts";
import { chainEdges, LabelRounds } from "../../../kit/loops.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("flows with loops that are checked");

const looped = defineFlow(import.meta.url, (q) => {
  const edges = q.read("numbers", numbers(0, 20)).flatMap("edges", (n) => chainEdges(n, 5));
  const labels = q.iterate("label", { edges: edges.partition(hash("from")) }, () => new LabelRounds(), {
    feedback: hash("to"),
  });
  return { labels: labels.distinct("distinct").collect() };
});

test("a loop is run and not checked, and steps behind it are", async () => {
  const [loop, behind] = await checkFlow(looped, {}, { seeds: 3 });
  assert.equal(loop, { step: "label", what: "LabelRounds", objects: 0, report: undefined, isLoop: true });
  assert.ok(behind?.objects === 20 && behind.report?.counterExample === undefined && behind.isLoop === undefined);
});

test.run();
