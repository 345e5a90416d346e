import * as fc from "fast-check";
import { tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { loadBatches, type Representation, representationOf } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { hashJoin } from "../../operators/hash-join.ts";
import { suite } from "../kit/suite.ts";
import { drive } from "./drive.ts";
import { canonical, joined, joinKinds, nestedLoop, type Row, sides, tasksOf } from "./join-oracle.ts";

const test = suite("hash join");

type Flight = { origin: string; delay: number };
type Airport = { iata: string; city: string };
const flights: Flight[] = [
  { origin: "SFO", delay: 3 },
  { origin: "JFK", delay: 9 },
  { origin: "QQQ", delay: 1 },
];
const airports: Airport[] = [
  { iata: "SFO", city: "San Francisco" },
  { iata: "JFK", city: "New York" },
  { iata: "LAX", city: "Los Angeles" },
];
const tasks = [
  { input: "right", objects: airports },
  { input: "left", objects: flights },
];

async function codeOf(action: () => unknown): Promise<string | undefined> {
  try {
    await action();
  } catch (error) {
    return error instanceof QStreamError ? error.code : String(error);
  }
  return undefined;
}

for (const representation of [undefined, "arrow", "polars"] as const) {
  for (const keys of [["id"], ["id", "day"]]) {
    test(`gives what a nested loop gives: ${representation ?? "objects"} by ${keys.join(" and ")}, all kinds`, async () => {
      await fc.assert(
        fc.asyncProperty(
          sides(),
          fc.integer({ min: 1, max: 5 }),
          fc.constantFrom<"left" | "right">("left", "right"),
          fc.boolean(),
          async ({ left, right }, size, build, restoring) => {
            const leftTasks = await tasksOf("left", left, size, representation);
            const rightTasks = await tasksOf("right", right, size + 1, representation);
            const inOrder = build === "left" ? [...leftTasks, ...rightTasks] : [...rightTasks, ...leftTasks];
            for (const how of joinKinds) {
              const definition = hashJoin<Row, Row>({ left: keys, right: keys, how: how as "inner", build });
              const rows = await joined(definition, inOrder, restoring);
              assert.equal(canonical(rows), canonical(nestedLoop(left, right, keys, how)), `${how}, build ${build}`);
            }
          },
        ),
        { numRuns: representation === undefined ? 40 : 5 },
      );
    });
  }
}

test("lets combine make the result, with undefined for a side without match", async () => {
  const definition = hashJoin({
    left: (flight: Flight) => flight.origin,
    right: (airport: Airport) => airport.iata,
    how: "full",
    combine: (flight, airport) => `${flight?.delay ?? "-"} ${airport?.city ?? "-"}`,
  });
  const out: string[] = await drive(definition, tasks);
  assert.equal(out.toSorted(), ["- Los Angeles", "1 -", "3 San Francisco", "9 New York"]);
});

test("infers the merged type of the two sides", async () => {
  const definition = hashJoin<Flight, Airport>({ left: "origin", right: "iata" });
  const [first] = await drive(definition, tasks);
  const typed: { origin: string; delay: number; iata: string; city: string } | undefined = first;
  assert.equal(typed, { origin: "SFO", delay: 3, iata: "SFO", city: "San Francisco" });
});

test("types what each kind gives", () => {
  type Named = { iata: string; city: string; delay: string };
  const types = {
    left: hashJoin<Flight, Airport, "left">({ left: "origin", right: "iata", how: "left" }).create(),
    semi: hashJoin<Flight, Airport, "semi">({ left: "origin", right: "iata", how: "semi" }).create(),
    clash: hashJoin<Flight, Named, "inner", "origin", "iata">({ left: "origin", right: "iata" }).create(),
    shared: hashJoin<Airport, Named, "inner", "iata", "iata", "_r">({
      left: "iata",
      right: "iata",
      suffix: "_r",
    }).create(),
  };
  type OutOf<O> = O extends { execute: (...args: never[]) => infer Given }
    ? Extract<Given, readonly unknown[]>[number]
    : never;
  const left: OutOf<typeof types.left>[] = [
    { origin: "a", delay: 1 },
    { origin: "a", delay: 1, iata: "a", city: "b" },
  ];
  const semi: OutOf<typeof types.semi>[] = [{ origin: "a", delay: 1 }];
  const clash: OutOf<typeof types.clash>[] = [{ origin: "a", delay: 1, iata: "a", city: "b", delay_2: "x" }];
  const shared: OutOf<typeof types.shared>[] = [{ iata: "a", city: "b", city_r: "c", delay: "d" }];
  assert.is(left.length + semi.length + clash.length + shared.length, 5);
});

test("keeps a key of one name once, and gives clashing names the suffix", async () => {
  const definition = hashJoin({ left: "id", right: "id", suffix: "_right" });
  const out = await drive(definition, [
    { input: "right", objects: [{ id: 5n, name: "r" }] },
    { input: "left", objects: [{ id: 5, name: "l" }] },
  ]);
  assert.equal(out, [{ id: 5, name: "l", name_right: "r" }]);
});

test("gives the left side's representation where one is Arrow and one Polars", async () => {
  const batches = await loadBatches();
  const rows = [{ id: 1n, day: "mon", note: "x" }];
  for (const [left, right] of [
    ["arrow", "polars"],
    ["polars", "arrow"],
  ] as [Representation, Representation][]) {
    const out = await drive(hashJoin({ left: "id", right: "id", how: "semi" }), [
      { input: "right", objects: [batches.fromObjects(rows, right)] },
      { input: "left", objects: [batches.fromObjects(rows, left)] },
    ]);
    assert.equal(
      out.map((batch) => representationOf(batch)),
      [left],
    );
  }
});

test("compares Int32 with Int64, floats and dictionaries exactly", async () => {
  const batches = await loadBatches();
  const left = tableFromArrays({ id: BigInt64Array.of(1n, 2n, 9_007_199_254_740_993n) });
  const cases: [unknown, bigint[]][] = [
    [tableFromArrays({ id: Int32Array.of(2, 7) }), [2n]],
    [tableFromArrays({ id: Float64Array.of(1, 2.5, 9_007_199_254_740_992) }), [1n]],
    [tableFromArrays({ id: BigUint64Array.of(9_007_199_254_740_993n, 2n ** 64n - 1n) }), [9_007_199_254_740_993n]],
  ];
  for (const [right, expected] of cases) {
    const out = await drive(hashJoin({ left: "id", right: "id", how: "semi" }), [
      { input: "right", objects: [right] },
      { input: "left", objects: [left] },
    ]);
    assert.equal(
      out.flatMap((batch) => batches.toObjects(batch)).map((row) => row["id"]),
      expected,
    );
  }
  const coded = tableFromArrays({ code: ["a", "b", "a"] });
  const plain = batches.fromObjects([{ code: "a", n: 1 }], "polars");
  const out = await drive(hashJoin({ left: "code", right: "code" }), [
    { input: "right", objects: [plain] },
    { input: "left", objects: [coded] },
  ]);
  assert.is(
    out.reduce<number>((sum, batch) => sum + batches.rows(batch), 0),
    2,
  );
});

test("makes a key with very many pairs one by one", async () => {
  const many = Array.from({ length: 20_000 }, (_, n) => ({ k: 1, n }));
  const out = await drive(
    hashJoin({ left: "k", right: "k", combine: (_left: { k: number }, right: { k: number; n: number }) => right.n }),
    [
      { input: "right", objects: many },
      { input: "left", objects: [{ k: 1 }, { k: 2 }] },
    ],
  );
  assert.is(out.length, 20_000);
});

test("refuses wrong options, mixed sides, other orders and too much state", async () => {
  const row = [{ id: 1 }];
  const both = (first: unknown, second: unknown) => [
    { input: "right", objects: [first] },
    { input: "left", objects: [second] },
  ];
  const batches = await loadBatches();
  const table = batches.fromObjects(row, "arrow");
  assert.is(await codeOf(() => hashJoin({ left: ["a", "b"], right: "a" })), "OPTION_INVALID");
  assert.is(await codeOf(() => hashJoin({ left: "a", right: "a", how: "outer" as "inner" })), "OPTION_INVALID");
  assert.is(await codeOf(() => hashJoin({ left: "a", right: "a", how: "semi", combine: () => 1 })), "OPTION_INVALID");
  assert.is(
    await codeOf(() => drive(hashJoin({ left: "id", right: "id" }), both(table, row[0]))),
    "MIXED_REPRESENTATION",
  );
  assert.is(await codeOf(() => drive(hashJoin({ left: () => 1, right: "id" }), both(table, table))), "OPTION_INVALID");
  assert.is(await codeOf(() => drive(hashJoin({ left: "no", right: "id" }), both(table, table))), "BAD_INPUT");
  const text = batches.fromObjects([{ id: "1" }], "arrow");
  assert.is(await codeOf(() => drive(hashJoin({ left: "id", right: "id" }), both(table, text))), "BAD_INPUT");
  const [right, left] = both(row[0], row[0]);
  assert.is(await codeOf(() => drive(hashJoin({ left: "id", right: "id" }), [left!, right!])), "OPTION_INVALID");
  const small = hashJoin({ left: "id", right: "id", stateBytesMax: 10 });
  assert.is(await codeOf(() => drive(small, both(row[0], row[0]))), "LIMIT_EXCEEDED");
});

test.run();
