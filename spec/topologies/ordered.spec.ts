// specs: timeout 120 s
// Count, limit, topK, sort, union and zip on every topology, in every representation: with checkers of what is allowed
// where several results are right.

import fc from "fast-check";
import * as assert from "uvu/assert";
import { countObjects, defineFlow, numbers } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import { Everywhere } from "./everywhere.ts";
import { given, manners, type Manner, plain, type Row, rowsOf, texts } from "./given.ts";

const test = suite("count, limit, topK, sort, union and zip on every topology");
const everywhere = new Everywhere(test);

const few = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[]; n: number }) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const others = q.read("others", given(args.rows, args), { channels: 2 });
  return {
    counted: rows.count("counted").collect(),
    countedAtOnce: rows.apply("counted at once", countObjects()).collect(),
    limited: rows.limit("limited", args.n).collect({ as: "objects" }),
    most: rows.topK("most", args.n + 1, "n").collect({ as: "objects" }),
    first: rows
      .topK("first", args.n + 1, ["key", { by: "part", order: "descending" }], { order: "ascending" })
      .collect({ as: "objects" }),
    all: rows.union("all", others, rows).collect({ as: "objects" }),
    unionCount: rows.union("some", others).count("how many").collect(),
  };
});

everywhere.property("count, limit, topK and union give what they promise", {
  flow: few,
  data: fc.record({ rows: rowsOf(60), n: fc.integer({ min: 0, max: 12 }) }),
  runs: 9,
  check: (outputs, { rows, n }) => {
    assert.equal(outputs.counted, [rows.length]);
    assert.equal(outputs.countedAtOnce, [rows.length]);
    assert.equal(outputs.unionCount, [2 * rows.length]);
    assert.is(outputs.limited.length, Math.min(n, rows.length));
    assertAmong(outputs.limited, rows);
    const most = rows.toSorted((left, right) => right.n - left.n).slice(0, n + 1);
    assert.equal(
      outputs.most.map((row) => Number(row.n)),
      most.map((row) => row.n),
    );
    assertAmong(outputs.most, rows);
    const first = rows.toSorted(byKeyAndPart).slice(0, n + 1);
    assert.equal(outputs.first.map(keyAndPart), first.map(keyAndPart));
    assertAmong(outputs.first, rows);
    assert.equal(texts(outputs.all), texts([...rows, ...rows, ...rows]));
  },
});

/** Each of some rows is one of the others, and none is there more often. */
function assertAmong(some: readonly Row[], rows: readonly Row[]): void {
  const known = new Set(texts(rows));
  const found = texts(some);
  assert.ok(
    found.every((text) => known.has(text)),
    "every row was there",
  );
  assert.is(new Set(found).size, found.length, "no row comes twice");
}

function keyAndPart({ key, part }: Row): string {
  return JSON.stringify(plain([key, part ?? null]));
}

function byKeyAndPart(left: Row, right: Row): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  // What is missing comes last both ways.
  return (right.part ?? -Infinity) - (left.part ?? -Infinity) || 0;
}

const sorts = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[]; memoryBytes: number }) => {
  const rows = q.read("rows", given(args.rows, args), { channels: args.channels });
  const { memoryBytes } = args;
  return {
    one: rows.sort("one", "n", { order: "descending" }).collect({ as: "objects" }),
    spilled: rows
      .sort("spilled", ["key", { by: "part", order: "descending" }], { memoryBytes })
      .collect({ as: "objects" }),
    big: rows.sort("big", "big", { memoryBytes }).collect({ as: "objects" }),
  };
});

everywhere.property("sort gives all rows in order, from memory or from disk", {
  flow: sorts,
  data: fc.record({ rows: rowsOf(150), memoryBytes: fc.constantFrom(300, 3000, 1 << 20) }),
  runs: 10,
  check: ({ one, spilled, big }, { rows }) => {
    for (const sorted of [one, spilled, big]) assert.equal(texts(sorted), texts(rows));
    assert.equal(
      one.map(({ n }) => Number(n)),
      rows.map(({ n }) => n).toSorted((left, right) => right - left),
    );
    assert.equal(spilled.map(keyAndPart), rows.toSorted(byKeyAndPart).map(keyAndPart));
    const bigs = rows.map((row) => row.big).toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0));
    assert.equal(
      big.map((row) => BigInt(row.big)),
      bigs,
    );
  },
});

const zips = defineFlow(import.meta.url, (q, args: Manner & { rows: Row[]; upTo: number }) => {
  const rows = q.read("rows", given(args.rows, args), { channels: 1 });
  const places = q.read("places", numbers(0, args.upTo), { channels: 1 });
  return {
    pairs: rows.zip("pairs", places).collect(),
    combined: places.zip("combined", rows, { combine: (place, row) => [row.id, place] }).collect(),
    // One side has to wait until the other has been sorted.
    late: places.zip("late", rows.sort("back", "id", { order: "descending" })).collect(),
  };
});

everywhere.property("zip pairs by place and ends with the shorter side", {
  flow: zips,
  data: fc.record({ rows: rowsOf(80), upTo: fc.integer({ min: 0, max: 3000 }) }),
  manner: manners("objects"),
  options: { limits: { inputObjects: 200 } },
  check: ({ pairs, combined, late }, { rows, upTo }) => {
    const length = Math.min(rows.length, upTo);
    assert.equal(
      pairs,
      rows.slice(0, length).map((row, place) => [row, place]),
    );
    assert.equal(
      combined,
      rows.slice(0, length).map((row, place) => [row.id, place]),
    );
    assert.equal(
      late.map(([place, row]) => [place, row.id]),
      rows
        .toReversed()
        .slice(0, length)
        .map(({ id }, place) => [place, id]),
    );
  },
});

test.run();
