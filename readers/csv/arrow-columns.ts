import type { Data, Table } from "apache-arrow";
import type { ColumnField, ColumnKind } from "../../lib/core/schema.ts";

type Arrow = typeof import("apache-arrow");

const dayMs = 86_400_000;

/** Makes an Arrow table of columns given as arrays of JavaScript values, null where a value is missing. */
export function arrowTable(
  arrow: Arrow,
  fields: readonly ColumnField[],
  columns: readonly (readonly unknown[])[],
  rows: number,
): Table {
  const children = fields.map((field, index) => columnData(arrow, field.kind, columns[index] ?? [], rows));
  const schema = new arrow.Schema(
    fields.map(
      (field, index) => new arrow.Field(field.name, children[index]?.type ?? new arrow.Null(), field.nullable),
    ),
  );
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length: rows, nullCount: 0, children });
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
}

function columnData(arrow: Arrow, kind: ColumnKind, values: readonly unknown[], length: number): Data {
  const { nullBitmap, nullCount } = validity(values, length);
  const nulls = { length, nullCount, ...(nullBitmap === undefined ? {} : { nullBitmap }) };
  switch (kind) {
    case "int32":
      return arrow.makeData({ type: new arrow.Int32(), data: Int32Array.from(values as number[], orZero), ...nulls });
    case "float64":
      return arrow.makeData({
        type: new arrow.Float64(),
        data: Float64Array.from(values as number[], orZero),
        ...nulls,
      });
    case "int64":
      return arrow.makeData({
        type: new arrow.Int64(),
        data: BigInt64Array.from(values as bigint[], (value) => value ?? 0n),
        ...nulls,
      });
    case "timestamp":
      return arrow.makeData({ type: new arrow.TimestampMillisecond(), data: milliseconds(values), ...nulls });
    case "date":
      return arrow.makeData({ type: new arrow.DateDay(), data: days(values), ...nulls });
    case "boolean":
      return arrow.makeData({ type: new arrow.Bool(), data: bits(values, length), ...nulls });
    case "string":
      return arrow.makeData({ type: new arrow.Utf8(), ...texts(values), ...nulls });
  }
}

const orZero = (value: number | null): number => value ?? 0;

function validity(values: readonly unknown[], length: number): { nullBitmap?: Uint8Array; nullCount: number } {
  if (!values.includes(null)) return { nullCount: 0 };
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let row = 0; row < length; row++) {
    if (values[row] === null) nullCount += 1;
    else nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return { nullBitmap, nullCount };
}

function milliseconds(values: readonly unknown[]): BigInt64Array {
  return BigInt64Array.from(values as (Date | null)[], (value) => BigInt(value?.getTime() ?? 0));
}

function days(values: readonly unknown[]): Int32Array {
  return Int32Array.from(values as (Date | null)[], (value) => Math.floor((value?.getTime() ?? 0) / dayMs));
}

function bits(values: readonly unknown[], length: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(length / 8));
  for (let row = 0; row < length; row++) {
    if (values[row] === true) packed[row >> 3] = (packed[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return packed;
}

function texts(values: readonly unknown[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(values.length + 1);
  let chars = 0;
  for (const value of values) if (value !== null) chars += (value as string).length;
  // A UTF-16 code unit has at most three bytes of UTF-8.
  const room = Buffer.allocUnsafeSlow(chars * 3);
  let filled = 0;
  for (const [row, value] of values.entries()) {
    if (value !== null) filled += room.write(value as string, filled, "utf8");
    valueOffsets[row + 1] = filled;
  }
  return { valueOffsets, data: new Uint8Array(room.subarray(0, filled)) };
}
