import * as arrow from "apache-arrow";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";

const batches = await loadBatches();

export type Value = unknown;

/** A column type and values that it may hold. */
export interface ColumnCase {
  readonly type: () => arrow.DataType;
  readonly value: fc.Arbitrary<Value>;
}

export const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 60 }));
const milliseconds = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
const bytes = fc.uint8Array({ maxLength: 30 });

export const keyCases: Readonly<Record<string, ColumnCase>> = {
  int8: { type: () => new arrow.Int8(), value: fc.integer({ min: -128, max: 127 }) },
  uint16: { type: () => new arrow.Uint16(), value: fc.integer({ min: 0, max: 65535 }) },
  int32: { type: () => new arrow.Int32(), value: fc.integer() },
  uint32: { type: () => new arrow.Uint32(), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
  int64: { type: () => new arrow.Int64(), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  uint64: { type: () => new arrow.Uint64(), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  float32: { type: () => new arrow.Float32(), value: fc.float() },
  float64: { type: () => new arrow.Float64(), value: fc.oneof(fc.double(), fc.integer()) },
  bool: { type: () => new arrow.Bool(), value: fc.boolean() },
  utf8: { type: () => new arrow.Utf8(), value: text },
  largeUtf8: { type: () => new arrow.LargeUtf8(), value: text },
  binary: { type: () => new arrow.Binary(), value: bytes },
  dictionary: {
    type: () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int16()),
    value: fc.constantFrom("a", "b", "ccc", ""),
  },
  dateDay: {
    type: () => new arrow.DateDay(),
    value: fc.integer({ min: -20000, max: 20000 }).map((day) => new Date(day * 86_400_000)),
  },
  second: {
    type: () => new arrow.TimestampSecond(),
    value: milliseconds.map((at) => new Date(Math.round(at / 1000) * 1000)),
  },
  millisecond: { type: () => new arrow.TimestampMillisecond("UTC"), value: milliseconds.map((at) => new Date(at)) },
  microsecond: { type: () => new arrow.TimestampMicrosecond(), value: milliseconds.map((at) => new Date(at)) },
  nanosecond: { type: () => new arrow.TimestampNanosecond(), value: milliseconds.map((at) => new Date(at)) },
  fixedBytes: { type: () => new arrow.FixedSizeBinary(3), value: fc.uint8Array({ minLength: 3, maxLength: 3 }) },
};

const nestedCases: Readonly<Record<string, ColumnCase>> = {
  list: {
    type: () => new arrow.List(new arrow.Field("item", new arrow.Int32(), true)),
    value: fc.array(fc.integer(), { maxLength: 4 }),
  },
  texts: {
    type: () => new arrow.List(new arrow.Field("item", new arrow.Utf8(), true)),
    value: fc.array(text, { maxLength: 3 }),
  },
  pair: {
    type: () => new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Float64(), true)),
    value: fc.tuple(fc.integer(), fc.integer()),
  },
  struct: {
    type: () =>
      new arrow.Struct([new arrow.Field("n", new arrow.Int32(), true), new arrow.Field("s", new arrow.Utf8(), true)]),
    value: fc.record({ n: fc.integer(), s: text }, { noNullPrototype: true }),
  },
  map: {
    type: () =>
      new arrow.Map_(
        new arrow.Field(
          "entries",
          new arrow.Struct([
            new arrow.Field("key", new arrow.Utf8(), false),
            new arrow.Field("value", new arrow.Int32(), true),
          ]),
          false,
        ) as never,
      ),
    value: fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.integer()), { maxLength: 3, selector: ([key]) => key })
      .map((entries) => new Map(entries)),
  },
};

export const allCases = { ...keyCases, ...nestedCases };

export interface Made {
  readonly table: arrow.Table;
  readonly rows: Record<string, Value>[];
}

/** A vector of values. Arrow's builder rounds nanoseconds, so those are written by hand. */
export function vectorOf(values: readonly Value[], type: arrow.DataType): arrow.Vector {
  if (!(type instanceof arrow.TimestampNanosecond)) return arrow.vectorFromArray(values as never[], type);
  const data = BigInt64Array.from(values, (value) => BigInt((value as Date | null)?.getTime() ?? 0) * 1_000_000n);
  const nullBitmap = new Uint8Array(values.length + 8);
  for (const [row, value] of values.entries()) {
    if (value !== null) nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7));
  }
  return new arrow.Vector([arrow.makeData({ type, length: values.length, data, nullBitmap })]);
}

/** Tables of one to four chunks, of which each is a slice of a longer one, so that offsets inside of bytes occur. */
export function tables(cases: Readonly<Record<string, ColumnCase>>, most = 3): fc.Arbitrary<Made> {
  const names = fc.uniqueArray(fc.constantFrom(...Object.keys(cases)), { minLength: 1, maxLength: most });
  return names.chain((chosen) => {
    const row = fc.record(
      Object.fromEntries(chosen.map((name) => [name, fc.option((cases[name] as ColumnCase).value, { freq: 4 })])),
    );
    const chunk = fc.tuple(fc.array(row, { maxLength: 25 }), fc.nat({ max: 9 }));
    return fc.array(chunk, { minLength: 1, maxLength: 4 }).map((chunks) => makeTable(chosen, cases, chunks as never));
  });
}

function makeTable(
  names: readonly string[],
  cases: Readonly<Record<string, ColumnCase>>,
  chunks: readonly [Record<string, Value>[], number][],
): Made {
  const types = names.map((name) => (cases[name] as ColumnCase).type());
  const fields = names.map((name, index) => new arrow.Field(name, types[index] as arrow.DataType, true));
  const schema = new arrow.Schema(fields);
  const rows: Record<string, Value>[] = [];
  const made = chunks.map(([all, skipped]) => {
    const kept = all.slice(skipped);
    rows.push(...kept);
    const children = names.map((name, index) => {
      const data =
        vectorOf(
          all.map((row) => row[name]),
          types[index] as arrow.DataType,
        ).data[0] ?? arrow.makeData({ type: types[index] as arrow.DataType, length: 0 });
      return (data as arrow.Data).slice(Math.min(skipped, all.length), kept.length);
    });
    return new arrow.RecordBatch(
      schema,
      arrow.makeData({ type: new arrow.Struct(fields), length: kept.length, nullCount: 0, children }),
    );
  });
  return { table: new arrow.Table(schema, made), rows };
}

function plain(value: Value): Value {
  return value instanceof Uint8Array ? [...value] : value;
}

const normalized = (rows: readonly Record<string, Value>[]): Value[] =>
  rows.map((row) => Object.entries(row).map(([name, value]) => [name, plain(value)]));

/** Checks that a batch has exactly these rows, as plain objects. */
export function sameRows(batch: unknown, rows: readonly Record<string, Value>[]): void {
  const objects = batches.toObjects(batch);
  const names = Object.keys(objects[0] ?? rows[0] ?? {});
  const ordered = rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
  assert.equal(normalized(objects), normalized(ordered));
}

/** A check for assert.throws: a QStreamError of a code, with a text in its message. */
export function isError(code: string, part: string): (error: unknown) => boolean {
  return (error) => error instanceof QStreamError && error.code === code && error.message.includes(part);
}
