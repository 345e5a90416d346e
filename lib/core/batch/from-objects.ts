import type { Data, DataType, Table } from "apache-arrow";
import { QStreamError } from "../errors.ts";
import type { ArrowLibrary } from "./libraries.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * Makes an Arrow table of plain objects. Columns are all properties that any object has, in the order of their first
 * appearance; a property that is missing or undefined is null. Types are inferred from all values:
 *
 * | values | type |
 * |---|---|
 * | number | Float64, also for whole numbers, so that all batches of a stream get the same type |
 * | bigint, or bigint and whole numbers | Int64, or Uint64 where a value needs it |
 * | string, boolean, Date, Uint8Array | Utf8, Bool, Timestamp in milliseconds, Binary |
 * | arrays (also typed ones), plain objects | List, Struct |
 * | only null | Null |
 *
 * @throws BAD_INPUT where a column has values of several kinds, or of one that no column can hold
 */
export function tableFromObjects(arrow: ArrowLibrary, objects: readonly Row[]): Table {
  const names = new Set<string>();
  for (const [row, object] of objects.entries()) {
    if (typeof object !== "object" || object === null || Array.isArray(object)) {
      throw new QStreamError("BAD_INPUT", `object ${row} isn't a plain object, so that it has no columns`, {
        advice: "Map the stream to plain objects first.",
      });
    }
    for (const name in object) names.add(name);
  }
  const fields: ReturnType<typeof fieldOf>[] = [];
  const children: Data[] = [];
  for (const name of names) {
    const values = objects.map((object) => (Object.hasOwn(object, name) ? object[name] : undefined));
    const data = columnOf(arrow, values, name);
    fields.push(fieldOf(arrow, name, data.type));
    children.push(data);
  }
  const schema = new arrow.Schema(fields);
  const type = new arrow.Struct(fields);
  const data = arrow.makeData({ type, length: objects.length, nullCount: 0, children });
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
}

const fieldOf = (arrow: ArrowLibrary, name: string, type: DataType) => new arrow.Field(name, type, true);

type ValueKind = "null" | "number" | "bigint" | "string" | "boolean" | "date" | "bytes" | "list" | "struct";

function columnOf(arrow: ArrowLibrary, values: readonly unknown[], column: string): Data {
  const length = values.length;
  const { nullBitmap, nullCount } = validityOf(values);
  const common = { length, nullCount, ...(nullCount === 0 ? {} : { nullBitmap }) };
  switch (kindOf(values, column)) {
    case "null":
      return arrow.makeData({ type: new arrow.Null(), length });
    case "number":
      return arrow.makeData({ ...common, type: new arrow.Float64(), data: numbersOf(values) });
    case "bigint":
      return integerColumn(arrow, values, common, column);
    case "string":
      return textColumn(arrow, values as readonly (string | null | undefined)[], common);
    case "boolean":
      return arrow.makeData({ ...common, type: new arrow.Bool(), data: bitsOf(values, (value) => value === true) });
    case "date": {
      const data = BigInt64Array.from(values, (value) => dateValue(value as Date | null | undefined, column));
      return arrow.makeData({ ...common, type: new arrow.TimestampMillisecond("UTC"), data });
    }
    case "bytes":
      return bytesColumn(arrow, values as readonly (Uint8Array | null | undefined)[], common);
    case "list":
      return listColumn(arrow, values as readonly (ArrayLike<unknown> | null | undefined)[], common, column);
    case "struct":
      return structColumn(arrow, values as readonly (Row | null | undefined)[], common, column);
  }
}

function numbersOf(values: readonly unknown[]): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) numbers[row] = (values[row] ?? 0) as number;
  return numbers;
}

interface Validity {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
}

function bitsOf(values: readonly unknown[], isSet: (value: unknown) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  for (let index = 0; index < values.length; index++) {
    if (isSet(values[index])) bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7));
  }
  return bits;
}

function validityOf(values: readonly unknown[]): { nullBitmap: Uint8Array; nullCount: number } {
  let nullCount = 0;
  for (const value of values) if (value === null || value === undefined) nullCount += 1;
  if (nullCount === 0) return { nullBitmap: new Uint8Array(0), nullCount };
  return { nullBitmap: bitsOf(values, (value) => value !== null && value !== undefined), nullCount };
}

function kindOf(values: readonly unknown[], column: string): ValueKind {
  let found: ValueKind = "null";
  for (let row = 0; row < values.length; row++) {
    const kind = kindOfValue(values[row], row, column);
    if (kind === "null" || kind === found) continue;
    if (found === "null") found = kind;
    else if (isNumeric(kind) && isNumeric(found)) found = "bigint";
    else {
      throw new QStreamError("BAD_INPUT", `row ${row} has a ${kind} in a column of ${found} values`, {
        column,
        advice: "All values of a column must be of one kind: map the objects first.",
      });
    }
  }
  return found;
}

const isNumeric = (kind: ValueKind): boolean => kind === "number" || kind === "bigint";

function kindOfValue(value: unknown, row: number, column: string): ValueKind {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "number":
    case "bigint":
    case "string":
    case "boolean":
      return typeof value as ValueKind;
    case "object":
      if (value === null) return "null";
      if (value instanceof Date) return "date";
      if (value instanceof Uint8Array) return "bytes";
      if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return "list";
      if (isPlainObject(value)) return "struct";
      break;
    default:
      break;
  }
  const what = typeof value === "object" ? (value?.constructor?.name ?? "object") : typeof value;
  throw new QStreamError("BAD_INPUT", `row ${row} has a value of type ${what}, which no column can hold`, {
    column,
    advice:
      "Columns hold numbers, bigints, strings, booleans, dates, bytes, arrays and plain objects: map the objects first.",
  });
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

function integerColumn(arrow: ArrowLibrary, values: readonly unknown[], common: Validity, column: string): Data {
  let min = 0n;
  let max = 0n;
  const integers = values.map((value, row) => {
    const integer = toInteger(value, row, column);
    if (integer < min) min = integer;
    if (integer > max) max = integer;
    return integer;
  });
  if (min >= int64.min && max <= int64.max) {
    return arrow.makeData({ ...common, type: new arrow.Int64(), data: BigInt64Array.from(integers) });
  }
  if (min >= 0n && max < 2n ** 64n) {
    return arrow.makeData({ ...common, type: new arrow.Uint64(), data: BigUint64Array.from(integers) });
  }
  throw new QStreamError("BAD_INPUT", `integers from ${min} to ${max} don't fit in 64 bits`, {
    column,
    advice: "Turn them into text or numbers first.",
  });
}

function toInteger(value: unknown, row: number, column: string): bigint {
  if (typeof value === "bigint") return value;
  if (value === null || value === undefined) return 0n;
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  throw new QStreamError("BAD_INPUT", `row ${row} has the number ${String(value)} in a column of bigints`, {
    column,
    advice: "Beside bigints, numbers must be whole and below 2^53: map the objects first.",
  });
}

function dateValue(value: Date | null | undefined, column: string): bigint {
  if (value === null || value === undefined) return 0n;
  const time = value.getTime();
  if (!Number.isNaN(time)) return BigInt(time);
  throw new QStreamError("BAD_INPUT", "a Date is invalid", { column, advice: "Map invalid dates to null first." });
}

function textColumn(arrow: ArrowLibrary, values: readonly (string | null | undefined)[], common: Validity): Data {
  let units = 0;
  for (const text of values) units += text?.length ?? 0;
  checkBytes(units);
  // A UTF-16 unit takes at most three bytes.
  const bytes = Buffer.allocUnsafeSlow(units * 3);
  const valueOffsets = new Int32Array(values.length + 1);
  let end = 0;
  for (let row = 0; row < values.length; row++) {
    const text = values[row];
    if (text !== null && text !== undefined && text !== "") end += bytes.write(text, end, "utf8");
    valueOffsets[row + 1] = end;
  }
  checkBytes(end);
  return arrow.makeData({
    ...common,
    type: new arrow.Utf8(),
    valueOffsets,
    data: Uint8Array.from(bytes.subarray(0, end)),
  });
}

function checkBytes(bytes: number): void {
  if (bytes <= columnBytesMax) return;
  throw new QStreamError("LIMIT_EXCEEDED", "a column of one batch has more than 2 GiB", {
    advice: "Make smaller batches.",
  });
}

function bytesColumn(arrow: ArrowLibrary, values: readonly (Uint8Array | null | undefined)[], common: Validity): Data {
  return arrow.makeData({
    ...common,
    type: new arrow.Binary(),
    ...joined(values.map((bytes) => bytes ?? new Uint8Array(0))),
  });
}

const columnBytesMax = 2 ** 31 - 1;

function joined(chunks: readonly Uint8Array[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(chunks.length + 1);
  let end = 0;
  for (const [index, chunk] of chunks.entries()) {
    end += chunk.byteLength;
    checkBytes(end);
    valueOffsets[index + 1] = end;
  }
  return { valueOffsets, data: new Uint8Array(Buffer.concat(chunks, end)) };
}

function listColumn(
  arrow: ArrowLibrary,
  values: readonly (ArrayLike<unknown> | null | undefined)[],
  common: Validity,
  column: string,
): Data {
  const elements: unknown[] = [];
  const valueOffsets = new Int32Array(values.length + 1);
  for (const [index, list] of values.entries()) {
    if (list !== null && list !== undefined) for (let at = 0; at < list.length; at++) elements.push(list[at]);
    valueOffsets[index + 1] = elements.length;
  }
  const child = columnOf(arrow, elements, column);
  return arrow.makeData({ ...common, type: new arrow.List(fieldOf(arrow, "item", child.type)), valueOffsets, child });
}

function structColumn(
  arrow: ArrowLibrary,
  values: readonly (Row | null | undefined)[],
  common: Validity,
  column: string,
): Data {
  const { data, names } = structChildren(arrow, values, column);
  const fields = names.map((name, index) => fieldOf(arrow, name, (data[index] as Data).type));
  return arrow.makeData({ ...common, type: new arrow.Struct(fields), children: data });
}

function structChildren(
  arrow: ArrowLibrary,
  values: readonly (Row | null | undefined)[],
  column: string,
): { data: Data[]; names: string[] } {
  const names = new Set<string>();
  for (const object of values) for (const name of Object.keys(object ?? {})) names.add(name);
  const data = [...names].map((name) => {
    const below = values.map((object) =>
      object !== null && object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined,
    );
    return columnOf(arrow, below, `${column}.${name}`);
  });
  return { data, names: [...names] };
}
