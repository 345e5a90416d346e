// Options of sinks and operators that are given directly, and not by a method of streams: what is misspelt is named.
import * as assert from "uvu/assert";
import * as qstream from "../../lib/index.ts";
import { defineFlow, numbers, QStreamError } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";

const test = suite("option names of sinks and operators");

type Make = (options: object) => unknown;

const to = (sink: unknown): ((path: string, options: object) => unknown) => sink as (path: string) => unknown;
const of = (factory: unknown): Make => factory as Make;
const reduction = { key: String, init: () => 0, reduce: (sum: number) => sum, merge: (sum: number) => sum };
const { merge, ...whole } = reduction;
const aggregates = { aggregates: { rows: qstream.count() } };
const keys = { left: "key", right: "key" };

/** Each factory, with options that are right, and one that is misspelt. */
const cases: readonly (readonly [name: string, make: Make, right: object, wrong: string, meant: string])[] = [
  ["writeLines", (options) => to(qstream.writeLines)("out", options), { line: String }, "lines", "line"],
  ["writeCsv", (options) => to(qstream.writeCsv)("out", options), { header: false }, "seperator", "separator"],
  ["writeJsonLines", (options) => to(qstream.writeJsonLines)("out", options), {}, "ifexists", "ifExists"],
  ["writeParquet", (options) => to(qstream.writeParquet)("out", options), {}, "rowGroupRow", "rowGroupRows"],
  ["writeArrow", (options) => to(qstream.writeArrow)("out", options), { format: "stream" }, "formt", "format"],
  ["writeRedis", (options) => to(qstream.writeRedis)("redis://h", options), { stream: "s" }, "waitMS", "waitMs"],
  ["collect", of(qstream.collect), { as: "arrow" }, "byteMax", "bytesMax"],
  ["datasetSink", of(qstream.datasetSink), {}, "maxBytes", ""],
  ["hashJoin", of(qstream.hashJoin), { ...keys, build: "left" }, "biuld", "build"],
  ["symmetricJoin", of(qstream.symmetricJoin), keys, "sufix", "suffix"],
  ["broadcastJoin", of(qstream.broadcastJoin), keys, "combnie", "combine"],
  ["cogroup", of(qstream.cogroup), { ...keys, combine: () => 0 }, "declare", "declares"],
  ["zip", of(qstream.zip), { strict: true }, "stict", "strict"],
  ["distinct", of(qstream.distinct), { key: "a" }, "keys", "key"],
  ["sort", of(qstream.sort), { by: "a" }, "memoryByte", "memoryBytes"],
  ["topK", of(qstream.topK), { k: 1, by: "a" }, "ordre", "order"],
  ["partialTopK", of(qstream.partialTopK), { k: 1, by: "a" }, "ordre", "order"],
  ["aggregate", of(qstream.aggregate), aggregates, "bye", "by"],
  ["partialAggregate", of(qstream.partialAggregate), aggregates, "represntation", "representation"],
  ["mergeAggregates", of(qstream.mergeAggregates), aggregates, "represntation", "representation"],
  ["reduceByKey", of(qstream.reduceByKey), whole, "declare", "declares"],
  ["partialReduceByKey", of(qstream.partialReduceByKey), reduction, "keyMax", "keysMax"],
  ["mergeByKey", of(qstream.mergeByKey), { merge }, "declare", "declares"],
  ["foldByKey", of(qstream.foldByKey), { ...whole, reduce: undefined, fold: () => 0 }, "emits", "emit"],
];

for (const [name, make, given, wrong, meant] of cases) {
  test(`${name}() names the option that it doesn't have`, () => {
    const right = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    make(right);
    const refused = (error: unknown): boolean =>
      error instanceof QStreamError &&
      error.code === "OPTION_INVALID" &&
      error.message.startsWith(`${name}() has no option "${wrong}". `) &&
      error.message.includes(meant === "" ? "the options bytesMax" : `Did you mean "${meant}"?`);
    assert.throws(() => make({ ...right, [wrong]: 1 }), refused);
  });
}

test("a flow names it where the sink or the operator is made", () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    rows: q.read("numbers", numbers(0, 3)).to(qstream.writeCsv("out", { colums: ["a"] } as object)),
  }));
  assert.throws(() => flow.explain(), /writeCsv\(\) has no option "colums". Did you mean "columns"\?/);
});

test("explain() names an option that it doesn't have", () => {
  const flow = defineFlow(import.meta.url, (q) => ({ rows: q.read("numbers", numbers(0, 3)).collect() }));
  assert.match(flow.explain({}, { as: "text", slots: 2 }), "numbers");
  assert.throws(
    () => flow.explain({}, { slot: 2 } as object),
    /explain\(\) has no option "slot". Did you mean "slots"\?/,
  );
});

test.run();
