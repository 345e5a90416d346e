// specs: timeout 120 s
// Reductions, aggregations and distinct on every topology, in every representation, against plain loops.

import * as assert from "uvu/assert";
import { aggregate, count, countDistinct, defineFlow, first, hash, max, mean, min, sum } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import { given, grouped, manners, type Manner, type Row, rowsOf, texts } from "./given.ts";

const test = suite("keyed operators on every topology");
const everywhere = new Everywhere(test);
type Args = Manner & { rows: Row[] };

const reductions = defineFlow(import.meta.url, (q, args: Args) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const key = (row: Row): string => row.key;
  const both = (row: Row): readonly [string, string | null] => [row.key, row.day];
  return {
    sums: rows
      .reduceByKey(
        "sums",
        key,
        () => 0,
        (total, row) => total + row.n,
      )
      .collect(),
    merged: rows
      .reduceByKey(
        "merged",
        key,
        () => ({ total: 0 }),
        (held, row) => ({ total: held.total + row.n }),
        {
          merge: (left, right) => ({ total: left.total + right.total }),
        },
      )
      .collect(),
    byBoth: rows
      .reduceByKey(
        "by both",
        both,
        () => 0n,
        (total, row) => total + row.big,
        { channels: 3 },
      )
      .collect(),
    folded: rows
      .foldByKey(
        "folded",
        key,
        () => -Infinity,
        (most, row) => Math.max(most, row.n),
      )
      .collect(),
    updates: rows
      .foldByKey(
        "updates",
        key,
        () => 0,
        (seen) => seen + 1,
        { emit: "updates" },
      )
      .collect(),
  };
});

everywhere.property("reduceByKey and foldByKey make one value of each key, merged before the exchange or not", {
  flow: reductions,
  data: rowsOf(60).map((rows) => ({ rows })),
  manner: manners("objects"),
  check: ({ sums, merged, byBoth, folded, updates }, { rows }) => {
    const groups = [...grouped(rows, ({ key }) => key)];
    const totals = groups.map(([key, group]) => ({ key, value: group.reduce((total, { n }) => total + n, 0) }));
    assert.equal(texts(sums), texts(totals));
    assert.equal(texts(merged), texts(totals.map(({ key, value }) => ({ key, value: { total: value } }))));
    const pairs = [...grouped(rows, ({ key, day }) => JSON.stringify([key, day]))].map(([key, group]) => ({
      key: JSON.parse(key) as unknown,
      value: group.reduce((total, { big }) => total + big, 0n),
    }));
    assert.equal(texts(byBoth), texts(pairs));
    const most = groups.map(([key, group]) => ({ key, value: Math.max(...group.map(({ n }) => n)) }));
    assert.equal(texts(folded), texts(most));
    const counts = groups.flatMap(([key, group]) => group.map((_, index) => ({ key, value: index + 1 })));
    assert.equal(texts(updates), texts(counts));
  },
});

const aggregations = defineFlow(import.meta.url, (q, args: Args) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const aggregates = {
    rows: count(),
    days: count("day"),
    kinds: countDistinct("day"),
    total: sum("n"),
    parts: sum("part"),
    middle: mean("part"),
    least: min("n"),
    most: max("part"),
    large: sum("n"),
  };
  return {
    byKey: rows.aggregate("by key", { by: "key", aggregates }).collect({ as: "objects" }),
    byBoth: rows.aggregate("by both", { by: ["key", "day"], aggregates }, { channels: 3 }).collect({ as: "objects" }),
    whole: rows.aggregate("whole", { aggregates }).collect({ as: "objects" }),
    // As one step: otherwise each channel of the reader aggregates its own rows first.
    atOnce: rows
      .partition(hash("key"))
      .apply("at once", aggregate({ by: "key", aggregates: { total: sum("n") } }))
      .collect({ as: "objects" }),
    some: rows.aggregate("some", { by: "key", aggregates: { id: first("id") } }).collect({ as: "objects" }),
  };
});

function aggregated(rows: readonly Row[]): Record<string, unknown> {
  const days = rows.flatMap(({ day }) => (day === null ? [] : [day]));
  const parts = rows.flatMap(({ part }) => (part === null ? [] : [part]));
  const add = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  const numbers = rows.map(({ n }) => n);
  return {
    rows: rows.length,
    days: days.length,
    kinds: new Set(days).size,
    total: add(numbers),
    parts: add(parts),
    middle: parts.length === 0 ? null : add(parts) / parts.length,
    least: numbers.length === 0 ? null : Math.min(...numbers),
    most: parts.length === 0 ? null : Math.max(...parts),
    large: add(numbers),
  };
}

everywhere.property("aggregate gives one row for each group, and one of the whole stream without keys", {
  flow: aggregations,
  data: rowsOf(60).map((rows) => ({ rows })),
  runs: 9,
  check: ({ byKey, byBoth, whole, atOnce, some }, { rows }) => {
    const groups = [...grouped(rows, ({ key }) => key)];
    assert.equal(texts(byKey), texts(groups.map(([key, group]) => ({ key, ...aggregated(group) }))));
    const totals = groups.map(([key, group]) => ({ key, total: aggregated(group)["total"] }));
    assert.equal(texts(atOnce), texts(totals));
    const pairs = [...grouped(rows, ({ key, day }) => JSON.stringify([key, day])).values()];
    const expected = pairs.map((group) => ({ key: group[0]?.key, day: group[0]?.day, ...aggregated(group) }));
    assert.equal(texts(byBoth), texts(expected));
    assert.equal(texts(whole), texts([aggregated(rows)]));
    const keys = new Map(rows.map(({ id, key }) => [id, key]));
    assert.equal(texts(some.map(({ key }) => key)), texts(groups.map(([key]) => key)));
    for (const { key, id } of some) assert.is(keys.get(Number(id)), key, "any one value of the group");
  },
});

const distincts = defineFlow(import.meta.url, (q, args: Args) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const doubled = rows.union("twice", q.read("again", given(args.rows, args), { channels: 2 }));
  return {
    each: doubled.distinct("each once").collect({ as: "objects" }),
    byKey: doubled.distinct("by key", "key").collect({ as: "objects" }),
    byBoth: doubled.distinct("by both", ["key", "day"], { channels: 3 }).collect({ as: "objects" }),
  };
});

everywhere.property("distinct passes one row of each key, and without a key each row once", {
  flow: distincts,
  data: rowsOf(60).map((rows) => ({ rows })),
  runs: 9,
  check: ({ each, byKey, byBoth }, { rows }) => {
    assert.equal(texts(each), texts(rows));
    const known = new Set(texts(rows));
    for (const row of [...byKey, ...byBoth]) assert.ok(known.has(texts([row])[0] ?? ""), "a row that was there");
    assert.equal(texts(byKey.map(({ key }) => key)), texts([...new Set(rows.map(({ key }) => key))]));
    const pair = ({ key, day }: Row): string => JSON.stringify([key, day ?? null]);
    assert.equal(byBoth.map(pair).toSorted(), [...new Set(rows.map(pair))].toSorted());
  },
});

test.run();
