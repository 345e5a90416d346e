import * as assert from "uvu/assert";
import * as arrow from "apache-arrow";
import * as fc from "fast-check";
import { createRequire } from "node:module";
import { loadBatches, loadedBatches, representationOf } from "../../../lib/core/batch/index.ts";
import type { Key } from "../../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { hashKey } from "../../../lib/core/key.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import { suite } from "../../kit/suite.ts";
import { allCases, isError, keyCases, sameRows, tables, text, vectorOf } from "./batch-tables.ts";

const test = suite("columnar batches");
const polars = createRequire(import.meta.url)("nodejs-polars") as typeof import("nodejs-polars").default;
const batches = await loadBatches();

test("a batch is known by its markers, without loading a library", () => {
  const table = arrow.tableFromArrays({ n: [1, 2] });
  const other = createRequire(import.meta.url)("apache-arrow") as typeof arrow;
  assert.is(representationOf(table), "arrow");
  assert.is(representationOf(table.batches[0]), "arrow");
  assert.is(representationOf(other.tableFromArrays({ n: [1] })), "arrow");
  assert.is(representationOf(polars.DataFrame({ n: [1] })), "polars");
  for (const object of [null, undefined, 5, "Table", {}, [], new Map(), { schema: {}, batches: [] }]) {
    assert.is(representationOf(object), undefined);
  }
  assert.is(loadedBatches(), batches);
});

test("the rows of any table come back as plain objects", () => {
  fc.assert(
    fc.property(tables(allCases), ({ table, rows }) => sameRows(table, rows)),
    { numRuns: 150 },
  );
});

test("encode and decode give the same rows from one buffer", () => {
  fc.assert(
    fc.property(tables(allCases, 5), ({ table, rows }) => {
      const payload = batches.encode(table);
      assert.is(payload.format, "batch");
      assert.is(payload.rows, rows.length);
      const decoded = batches.decode(structuredClone(payload)) as arrow.Table;
      assert.is(decoded.numRows, rows.length);
      sameRows(decoded, rows);
      assert.is(String(decoded.schema), String(table.schema));
    }),
    { numRuns: 150 },
  );
});

test("a decoded table's columns are views of the payload, and only the slice's range is copied", () => {
  const long = arrow.tableFromArrays({ n: Float64Array.from({ length: 100_000 }, (_, index) => index) });
  const payload = batches.encode(long.slice(500, 600));
  assert.ok(payload.bytes.byteLength < 3000, `${payload.bytes.byteLength}`);
  const decoded = batches.decode(payload) as arrow.Table;
  assert.is(decoded.getChild("n")?.data[0]?.values.buffer, payload.bytes);
  assert.is(decoded.getChild("n")?.get(99), 599);
});

test("gather and encodeGathered send each row to its channel, in order", () => {
  const routed = fc.tuple(tables(allCases, 4), fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()));
  fc.assert(
    fc.property(routed, ([{ table, rows }, channels, stream]) => {
      const channelOfRow = Uint16Array.from(rows, () => (stream.next().value as number) % channels);
      const gathered = batches.gather(table, channelOfRow, channels);
      const payloads = batches.encodeGathered(table, channelOfRow, channels);
      for (let channel = 0; channel < channels; channel++) {
        const expected = rows.filter((_, row) => channelOfRow[row] === channel);
        if (expected.length === 0) {
          assert.equal([gathered[channel], payloads[channel]], [undefined, undefined]);
          continue;
        }
        sameRows(gathered[channel], expected);
        assert.is(payloads[channel]?.rows, expected.length);
        sameRows(batches.decode(payloads[channel] as Payload), expected);
      }
    }),
    { numRuns: 200 },
  );
});

test("a gathered dictionary column shares its dictionary", () => {
  const column = arrow.vectorFromArray(["a", "b", "a", "c"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()));
  const table = new arrow.Table({ column });
  const [first, second] = batches.gather(table, Uint16Array.of(0, 1, 0, 1), 2) as arrow.Table[];
  assert.is(first?.batches[0]?.data.children[0]?.dictionary, table.batches[0]?.data.children[0]?.dictionary);
  assert.equal([...(second?.getChild("column") ?? [])], ["b", "c"]);
});

test("view columns are gathered, encoded and hashed", () => {
  const values = [
    "short",
    null,
    "longer than twelve bytes, so it lies elsewhere",
    "",
    "another one that is quite long",
  ];
  const table = new arrow.Table({ v: viewVector(values) });
  const rows = values.map((v) => ({ v }));
  sameRows(table, rows);
  const parts = batches.gather(table, Uint16Array.of(0, 1, 1, 0, 1), 2);
  sameRows(parts[0], [rows[0], rows[3]] as never);
  sameRows(parts[1], [rows[1], rows[2], rows[4]] as never);
  sameRows(batches.decode(batches.encode(table.slice(1, 3))), rows.slice(1, 3));
  assert.equal([...batches.view(table).hashRows(["v"])], values.map(hashKey));
});

function viewVector(values: readonly (string | null)[]): arrow.Vector {
  const views = new Uint8Array(values.length * 16);
  const writer = new DataView(views.buffer);
  const nullBitmap = new Uint8Array(8);
  const long: number[] = [];
  for (const [row, value] of values.entries()) {
    if (value === null) continue;
    nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7));
    const encoded = Buffer.from(value);
    writer.setInt32(row * 16, encoded.length, true);
    views.set(encoded.subarray(0, encoded.length <= 12 ? 12 : 4), row * 16 + 4);
    if (encoded.length <= 12) continue;
    writer.setInt32(row * 16 + 12, long.length, true);
    long.push(...encoded);
  }
  const type = new arrow.Utf8View();
  return new arrow.Vector([
    arrow.makeData({
      type,
      length: values.length,
      views,
      nullBitmap,
      variadicBuffers: [Uint8Array.from(long)],
    } as never),
  ]);
}

test("decimals, times, durations, intervals, half floats and nulls are carried exactly", () => {
  const decimal = arrow.makeData({
    type: new arrow.Decimal(2, 10, 128),
    length: 2,
    data: Uint32Array.of(1234, 0, 0, 0, 0xfffffffb, 0xffffffff, 0xffffffff, 0xffffffff),
  });
  const table = new arrow.Table({
    decimal: new arrow.Vector([decimal]),
    time: arrow.vectorFromArray([5n, 6n], new arrow.TimeNanosecond()),
    duration: arrow.vectorFromArray([7n, 2n ** 62n], new arrow.DurationMicrosecond()),
    interval: new arrow.Vector([
      arrow.makeData({ type: new arrow.IntervalDayTime(), length: 2, data: Int32Array.of(1, 2, 3, 4) }),
    ]),
    half: new arrow.Vector([
      arrow.makeData({ type: new arrow.Float16(), length: 2, data: Uint16Array.of(0x3e00, 0xc000) }),
    ]),
    none: new arrow.Vector([arrow.makeData({ type: new arrow.Null(), length: 2 })]),
  });
  const rows = [
    { decimal: "12.34", time: 5n, duration: 7n, interval: [1, 2], half: 1.5, none: null },
    { decimal: "-0.05", time: 6n, duration: 2n ** 62n, interval: [3, 4], half: -2, none: null },
  ];
  sameRows(table, rows);
  sameRows(batches.decode(batches.encode(table)), rows);
  sameRows(batches.gather(table, Uint16Array.of(1, 0), 2)[0], [rows[1]] as never);
});

test("a union is refused with its column's name", () => {
  const type = new arrow.SparseUnion([0], [new arrow.Field("n", new arrow.Int32(), true)]);
  const data = arrow.makeData({
    type,
    length: 1,
    typeIds: Int8Array.of(0),
    children: [vectorOf([1], new arrow.Int32()).data[0]],
  } as never);
  const table = new arrow.Table({ mixed: new arrow.Vector([data as never]) });
  assert.throws(() => batches.encode(table), isError("UNSUPPORTED", 'column "mixed"'));
  assert.throws(() => batches.gather(table, Uint16Array.of(0), 1), isError("UNSUPPORTED", 'column "mixed"'));
});

test("a channel that isn't there and a column that isn't there are refused", () => {
  const table = arrow.tableFromArrays({ n: [1, 2] });
  assert.throws(
    () => batches.gather(table, Uint16Array.of(0, 2), 2),
    isError("CHANNEL_OUT_OF_RANGE", "channel 2 of 2"),
  );
  assert.throws(() => batches.view(table).hashRows(["m"]), isError("BAD_INPUT", 'It has "n"'));
});

test("hashes of rows are those of their keys as JavaScript values", () => {
  fc.assert(
    fc.property(tables(keyCases, 3), ({ table, rows }) => {
      const names = table.schema.fields.map((field) => field.name);
      const view = batches.view(table);
      for (const name of names) {
        assert.equal(
          [...view.hashRows([name])],
          rows.map((row) => hashKey(row[name] as Key)),
          name,
        );
      }
      assert.equal(
        [...view.hashRows(names)],
        rows.map((row) => hashKey(names.map((name) => row[name] as Key))),
      );
    }),
    { numRuns: 200 },
  );
});

test("views give values as JavaScript values", () => {
  const table = new arrow.Table({
    n: arrow.makeVector(Float64Array.of(1, 2, 3)),
    big: arrow.vectorFromArray([1n, null, 3n], new arrow.Int64()),
    at: arrow.vectorFromArray([5, null, 7], new arrow.TimestampMillisecond()),
  });
  const view = batches.view(table);
  assert.is(view.rows, 3);
  assert.equal(Array.from(view.values("n")), [1, 2, 3]);
  assert.equal(Array.from(view.values("big")), [1n, null, 3n]);
  assert.equal(Array.from(view.values("at")), [5, null, 7]);
});

const objectRows = fc.array(
  fc.record(
    {
      number: fc.option(fc.double({ noNaN: true })),
      big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      text: fc.option(text),
      flag: fc.option(fc.boolean()),
      at: fc.option(fc.date({ noInvalidDate: true })),
      list: fc.option(fc.array(fc.integer(), { maxLength: 3 })),
      inner: fc.option(fc.record({ a: fc.integer(), b: fc.option(fc.string()) }, { noNullPrototype: true })),
      nothing: fc.constant(null),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 30 },
);

test("objects become batches and come back the same, as Arrow and through Polars", () => {
  fc.assert(
    fc.property(objectRows, (objects) => {
      const table = batches.fromObjects(objects, "arrow");
      assert.is(representationOf(table), "arrow");
      assert.equal(batches.toObjects(table), objects);
    }),
    { numRuns: 80 },
  );
  const objects = [
    { n: 1.5, big: 2n ** 62n + 1n, s: "x", at: new Date(5), flag: true },
    { n: null, big: -5n, s: "é", at: null, flag: null },
  ];
  const frame = batches.fromObjects(objects, "polars");
  assert.is(representationOf(frame), "polars");
  assert.equal(batches.toObjects(frame), objects);
});

test("types are inferred from all the rows, and mixed ones are refused with row and column", () => {
  const table = batches.fromObjects([{ a: null }, { a: 1, b: 2n }, { b: 3 }], "arrow") as arrow.Table;
  assert.is(String(table.schema), "Schema<{ 0: a: Float64, 1: b: Int64 }>");
  assert.equal(batches.toObjects(table), [
    { a: null, b: null },
    { a: 1, b: 2n },
    { a: null, b: 3n },
  ]);
  const wide = batches.fromObjects([{ a: 2n ** 64n - 1n }], "arrow") as arrow.Table;
  assert.is(String(wide.schema), "Schema<{ 0: a: Uint64 }>");
  assert.throws(
    () => batches.fromObjects([{ a: 1 }, { a: "x" }], "arrow"),
    isError("BAD_INPUT", "row 1 has a string in a column of number"),
  );
  assert.throws(() => batches.fromObjects([{ a: () => 1 }], "arrow"), isError("BAD_INPUT", "function"));
  assert.throws(() => batches.fromObjects([{ a: 2n ** 64n }], "arrow"), isError("BAD_INPUT", "64 bits"));
  assert.throws(() => batches.fromObjects([{ a: 0.5 }, { a: 1n }], "arrow"), isError("BAD_INPUT", "0.5"));
  assert.equal(
    Object.keys(batches.toObjects(batches.fromObjects([JSON.parse('{"__proto__": 1}')], "arrow"))[0] ?? {}),
    ["__proto__"],
  );
});

test("slices, bytes and concat keep the rows", () => {
  fc.assert(
    fc.property(tables(allCases, 4), fc.nat({ max: 60 }), fc.nat({ max: 60 }), ({ table, rows }, a, b) => {
      const [from, to] = [Math.min(a, b, rows.length), Math.min(Math.max(a, b), rows.length)];
      const slice = batches.slice(table, from, to);
      assert.is(batches.rows(slice), to - from);
      sameRows(slice, rows.slice(from, to));
      assert.ok(batches.bytes(slice) <= batches.bytes(table));
      sameRows(batches.concat([batches.slice(table, 0, from), slice]), rows.slice(0, to));
    }),
    { numRuns: 100 },
  );
  assert.is(batches.bytes(arrow.tableFromArrays({ n: Float64Array.of(1, 2, 3) }).slice(1, 3)), 16);
});

test("concat gives a column of nulls the other batch's type, and refuses what differs", () => {
  const some = batches.fromObjects([{ a: 1 }], "arrow");
  const none = batches.fromObjects([{ a: null }], "arrow");
  assert.equal(batches.toObjects(batches.concat([none, some, none])), [{ a: null }, { a: 1 }, { a: null }]);
  const other = batches.fromObjects([{ a: "x" }], "arrow");
  assert.throws(() => batches.concat([some, other]), isError("BAD_INPUT", 'column "a"'));
  assert.throws(() => batches.concat([some, polars.DataFrame({ a: [1] })]), isError("MIXED_REPRESENTATION", "Polars"));
});

const sample = { n: [1.5, null, 3], s: ["x", "yy", null], flag: [true, false, null] };

test("Polars frames are encoded, gathered, sliced and joined as frames, with exact 64-bit integers", () => {
  const exact = batches.toPolars(
    new arrow.Table({ big: arrow.vectorFromArray([2n ** 62n + 1n, -5n, null], new arrow.Int64()) }),
  );
  const frame = polars
    .DataFrame({ ...sample, big: exact.getColumn("big") })
    .withColumn(polars.col("s").cast(polars.Categorical).alias("c"));
  const rows = [
    { n: 1.5, s: "x", flag: true, big: 2n ** 62n + 1n, c: "x" },
    { n: null, s: "yy", flag: false, big: -5n, c: "yy" },
    { n: 3, s: null, flag: null, big: null, c: null },
  ];
  sameRows(frame, rows);
  const decoded = batches.decode(structuredClone(batches.encode(frame)));
  assert.is(representationOf(decoded), "polars");
  sameRows(decoded, rows);
  const channelOfRow = Uint16Array.of(1, 0, 1);
  const gathered = batches.gather(frame, channelOfRow, 2);
  const sent = batches.encodeGathered(frame, channelOfRow, 3).map((payload) => payload && batches.decode(payload));
  assert.is(sent[2], undefined);
  for (const frames of [gathered, sent]) {
    assert.is(representationOf(frames[1]), "polars");
    assert.equal(String((frames[1] as typeof frame).dtypes), String(frame.dtypes));
    sameRows(frames[0], [rows[1]] as never);
    sameRows(frames[1], [rows[0], rows[2]] as never);
  }
  assert.equal(
    [...batches.view(frame).hashRows(["c", "big"])],
    rows.map(({ c, big }) => hashKey([c, big])),
  );
  sameRows(batches.slice(frame, 1, 3), rows.slice(1));
  sameRows(batches.concat([frame, batches.slice(frame, 0, 1)]), [...rows, rows[0]] as never);
  assert.ok(batches.bytes(frame) > 60 && batches.bytes(frame) < 200, `${batches.bytes(frame)}`);
  assert.is(batches.rows(frame), 3);
});

test("tables become frames and back, also sliced and chunked ones with dictionaries of their own", () => {
  const { utf8, int64, float64, bool, dictionary, list, struct, millisecond, uint32, largeUtf8 } = allCases;
  const kept = {
    utf8,
    int64,
    float64,
    bool,
    dictionary,
    list,
    struct,
    millisecond,
    uint32,
    largeUtf8,
  } as typeof allCases;
  fc.assert(
    fc.property(tables(kept, 4), ({ table, rows }) => {
      const frame = batches.toPolars(table);
      assert.is(frame.height, rows.length);
      sameRows(batches.toArrow(frame), rows);
      sameRows(batches.fromPolars(frame, "arrow"), rows);
      assert.is(batches.fromPolars(frame, "polars"), frame);
    }),
    { numRuns: 60 },
  );
});

test("a damaged payload is refused before anything is built, or decodes", () => {
  const table = batches.fromObjects(
    [
      { a: 1, s: "text", l: [1, 2] },
      { a: 2, s: null, l: [] },
    ],
    "arrow",
  );
  const { bytes: sound, rows } = batches.encode(table);
  assert.throws(
    () => batches.decode({ format: "batch", rows: 0, bytes: new ArrayBuffer(0) }),
    isError("FRAME_INVALID", "short"),
  );
  assert.throws(
    () => batches.decode({ format: "batch", rows: 0, bytes: new ArrayBuffer(64) }),
    isError("FRAME_INVALID", "mark"),
  );
  assert.throws(
    () => batches.decode({ format: "batch", rows, bytes: sound.slice(0, -8) }),
    isError("FRAME_INVALID", "length"),
  );
  fc.assert(
    fc.property(fc.nat({ max: sound.byteLength - 1 }), fc.nat({ max: 7 }), (at, bit) => {
      const damaged = new Uint8Array(sound.slice(0));
      damaged[at] = (damaged[at] as number) ^ (1 << bit);
      try {
        batches.decode({ format: "batch", rows, bytes: damaged.buffer });
      } catch (error) {
        assert.ok(error instanceof QStreamError, String(error));
      }
    }),
    { numRuns: 400 },
  );
});

test.run();
