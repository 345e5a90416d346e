import * as assert from "uvu/assert";
import type { OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import {
  aggregate,
  broadcastJoin,
  cogroup,
  count,
  countObjects,
  distinct,
  foldByKey,
  hashJoin,
  limit,
  max,
  mergeAggregates,
  mergeByKey,
  mergeCounts,
  partialAggregate,
  partialCount,
  partialLimit,
  partialReduceByKey,
  partialTopK,
  reduceByKey,
  sort,
  symmetricJoin,
  topK,
  union,
  zip,
  type QStream,
} from "../../lib/index.ts";
import { plain, type Row } from "./rows.ts";

/** One built-in operator: its definition, the method that puts it into a flow, and what that gives for the small data. */
export interface OperatorCase {
  // oxlint-disable-next-line typescript/no-explicit-any -- definitions of any inputs
  readonly definition: OperatorDefinition<any, any>;
  readonly use: (left: QStream<Row>, right: QStream<Row>) => QStream<unknown>;
  readonly check: (result: readonly unknown[]) => void;
}

const sumOf = { init: () => 0, reduce: (sum: number, row: Row) => sum + row.n };
const key = (row: Row): string => row.k;
const add = (a: number, b: number): number => a + b;
const aggregates = { by: "k", aggregates: { rows: count(), most: max("n") } } as const;
const keys = { left: "k", right: "k" } as const;
const sums = equal([
  { key: "a", value: 5 },
  { key: "b", value: 2 },
  { key: "c", value: 2 },
]);
const joined = equal([
  { k: "a", n: 1, n_2: 10 },
  { k: "a", n: 1, n_2: 10 },
  { k: "a", n: 3, n_2: 10 },
]);
const perKey = equal([
  { k: "a", rows: 3, most: 3 },
  { k: "b", rows: 1, most: 2 },
  { k: "c", rows: 1, most: 2 },
]);
const numbersOf = (result: readonly unknown[]): number[] => (result as readonly Row[]).map(({ n }) => n);
const ofLength =
  (length: number) =>
  (result: readonly unknown[]): void =>
    assert.is(result.length, length);

function equal(expected: readonly unknown[]): OperatorCase["check"] {
  return (result) => assert.equal(plain(result), plain(expected));
}

/** Operators that have a method. */
export const operatorCases: Readonly<Record<string, OperatorCase>> = {
  aggregate: {
    definition: aggregate<Row, "k">(aggregates),
    use: (left) => left.aggregate("x", aggregates),
    check: perKey,
  },
  broadcastJoin: {
    definition: broadcastJoin<Row, Row>(keys),
    use: (left, right) => left.broadcastJoin("x", right, keys),
    check: joined,
  },
  cogroup: {
    definition: cogroup({ ...keys, combine: () => 0 }),
    use: (left, right) =>
      left.cogroup("x", right, {
        ...keys,
        combine: (k, own, others) => ({ k, own: own.length, others: others.length }),
      }),
    check: equal([
      { k: "a", own: 3, others: 1 },
      { k: "b", own: 1, others: 0 },
      { k: "c", own: 1, others: 0 },
      { k: "d", own: 0, others: 1 },
    ]),
  },
  countObjects: { definition: countObjects<Row>(), use: (left) => left.count("x"), check: equal([5]) },
  distinct: { definition: distinct<Row>(), use: (left) => left.distinct("x"), check: ofLength(4) },
  foldByKey: {
    definition: foldByKey({ key, init: sumOf.init, fold: sumOf.reduce }),
    use: (left) => left.foldByKey("x", key, sumOf.init, sumOf.reduce),
    check: sums,
  },
  hashJoin: { definition: hashJoin<Row, Row>(keys), use: (left, right) => left.join("x", right, keys), check: joined },
  limit: { definition: limit<Row>(3), use: (left) => left.limit("x", 3), check: ofLength(3) },
  reduceByKey: {
    definition: reduceByKey({ key, ...sumOf }),
    use: (left) => left.reduceByKey("x", key, sumOf.init, sumOf.reduce),
    check: sums,
  },
  sort: {
    definition: sort<Row>({ by: "n" }),
    use: (left) => left.sort("x", ["n", "k"]),
    check: (result) => assert.equal(numbersOf(result), [1, 1, 2, 2, 3]),
  },
  symmetricJoin: {
    definition: symmetricJoin<Row, Row>(keys),
    use: (left, right) => left.streamingJoin("x", right, keys),
    check: joined,
  },
  topK: {
    definition: topK<Row>({ k: 2, by: "n" }),
    use: (left) => left.topK("x", 2, "n"),
    check: (result) => assert.equal(numbersOf(result), [3, 2]),
  },
  union: { definition: union<{ 0: Row; 1: Row }>(), use: (left, right) => left.union("x", right), check: ofLength(7) },
  zip: {
    definition: zip<Row, Row>(),
    use: (left, right) => left.zip("x", right, { combine: (a, b) => a.n + b.n }),
    check: equal([11, 22]),
  },
};

/** The halves of operators that are made in two steps, tried together by `apply`. */
export const halfCases: Readonly<Record<string, OperatorCase>> = {
  partialAggregate: {
    definition: partialAggregate<Row>(aggregates),
    use: (left) =>
      left
        .apply("half", partialAggregate<Row>(aggregates))
        .apply("x", mergeAggregates<Row, "k">(aggregates), { channels: 1 }),
    check: perKey,
  },
  partialCount: {
    definition: partialCount<Row>(),
    use: (left) => left.apply("half", partialCount<Row>()).apply("x", mergeCounts()),
    check: equal([5]),
  },
  partialLimit: {
    definition: partialLimit<Row>(3),
    use: (left) => left.apply("x", partialLimit<Row>(3)),
    check: ofLength(3),
  },
  partialReduceByKey: {
    definition: partialReduceByKey({ key, ...sumOf, merge: add }),
    use: (left) => left.reduceByKey("x", key, sumOf.init, sumOf.reduce, { merge: add }),
    check: sums,
  },
  partialTopK: {
    definition: partialTopK<Row>({ k: 2, by: "n" }),
    use: (left) => left.apply("x", partialTopK<Row>({ k: 2, by: "n" })),
    check: (result) => assert.equal(numbersOf(result), [3, 2]),
  },
};

/** Second halves, which take what first halves give. */
export const secondHalves: Readonly<Record<string, OperatorCase["definition"]>> = {
  mergeAggregates: mergeAggregates<Row, "k">(aggregates),
  mergeByKey: mergeByKey<string, number>({ merge: add }),
  mergeCounts: mergeCounts(),
};
