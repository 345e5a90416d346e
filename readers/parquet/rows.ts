import type { Data, DataType, Table, Vector } from "apache-arrow";
import type { ArrowLibrary } from "../../lib/core/batch/libraries.ts";

/** Gives the value of a row. */
type Getter = (row: number) => unknown;

/**
 * Makes plain objects of an Arrow table's rows. Int64 is bigint, smaller integers are numbers, timestamps and dates are
 * `Date`s (a time zone is dropped, as a Date has none), lists are arrays, structs are plain objects.
 */
export function rowMaker(arrow: ArrowLibrary, table: Table): (from: number, to: number) => Record<string, unknown>[] {
  const columns = table.schema.fields.map(({ name }, index) => {
    const vector = table.getChildAt(index);
    return { name, get: vector === null ? () => null : getterOf(arrow, vector) };
  });
  return (from, to) => {
    const rows: Record<string, unknown>[] = [];
    for (let row = from; row < to; row++) rows.push({});
    for (const { name, get } of columns) fillColumn(rows, name, get, from);
    return rows;
  };
}

// Column by column: the property's name is the same in the whole loop, and all rows go through the same shapes.
function fillColumn(rows: readonly Record<string, unknown>[], name: string, get: Getter, from: number): void {
  if (name === "__proto__") {
    for (const [index, row] of rows.entries()) {
      Object.defineProperty(row, name, { value: get(from + index), enumerable: true, configurable: true, writable: true });
    }
    return;
  }
  for (let index = 0; index < rows.length; index++) (rows[index] as Record<string, unknown>)[name] = get(from + index);
}

function getterOf(arrow: ArrowLibrary, vector: Vector): Getter {
  const [data, ...more] = vector.data;
  const raw = data === undefined || more.length > 0 ? undefined : rawGetter(arrow, data);
  if (raw !== undefined && data !== undefined) {
    return data.nullCount === 0 ? raw : (row) => (data.getValid(row) ? raw(row) : null);
  }
  return convertingGetter(arrow, vector);
}

/** Reads the column's buffer directly, for types whose values are in one; undefined for the rest. */
function rawGetter(arrow: ArrowLibrary, data: Data): Getter | undefined {
  const { type } = data;
  if (arrow.DataType.isInt(type) || (arrow.DataType.isFloat(type) && type.precision !== arrow.Precision.HALF)) {
    const values = data.values as ArrayLike<unknown>;
    return (row) => values[row];
  }
  if (arrow.DataType.isTimestamp(type)) {
    const values = data.values as BigInt64Array;
    const toMs = millisecondsOf(arrow, type.unit);
    return (row) => new Date(toMs(values[row] as bigint));
  }
  if (arrow.DataType.isDate(type) && type.unit === arrow.DateUnit.DAY) {
    const values = data.values as Int32Array;
    return (row) => new Date((values[row] as number) * 86_400_000);
  }
  const { dictionary } = data;
  if (arrow.DataType.isDictionary(type) && dictionary !== undefined) {
    const codes = data.values as ArrayLike<number>;
    const entry = getterOf(arrow, dictionary);
    const entries = Array.from({ length: dictionary.length }, (_, code) => entry(code));
    return (row) => entries[codes[row] as number];
  }
  return undefined;
}

/** Milliseconds of a timestamp; finer parts are cut towards the past. */
function millisecondsOf(arrow: ArrowLibrary, unit: number): (value: bigint) => number {
  if (unit === arrow.TimeUnit.SECOND) return (value) => Number(value) * 1000;
  if (unit === arrow.TimeUnit.MILLISECOND) return Number;
  if (unit === arrow.TimeUnit.MICROSECOND) return (value) => floorDivide(value, 1000n);
  return (value) => floorDivide(value, 1_000_000n);
}

function floorDivide(value: bigint, divisor: bigint): number {
  const quotient = value / divisor;
  return Number(value % divisor < 0n ? quotient - 1n : quotient);
}

function convertingGetter(arrow: ArrowLibrary, vector: Vector): Getter {
  const type = vector.type as DataType;
  const isDate = arrow.DataType.isTimestamp(type) || arrow.DataType.isDate(type);
  if (isDate) {
    return (row) => {
      const ms = vector.get(row) as number | null;
      return ms === null ? null : new Date(Math.floor(ms));
    };
  }
  if (arrow.DataType.isBool(type) || type.typeId === arrow.Type.Utf8 || type.typeId === arrow.Type.LargeUtf8) {
    return (row) => vector.get(row) as unknown;
  }
  if (arrow.DataType.isList(type) || arrow.DataType.isFixedSizeList(type) || arrow.DataType.isLargeList?.(type)) {
    return (row) => plainList(arrow, vector.get(row) as Vector | null);
  }
  if (arrow.DataType.isStruct(type)) return structGetter(arrow, vector);
  return (row) => copied(vector.get(row));
}

function plainList(arrow: ArrowLibrary, list: Vector | null): unknown {
  if (list === null) return null;
  const get = getterOf(arrow, list);
  return Array.from({ length: list.length }, (_, index) => get(index));
}

function structGetter(arrow: ArrowLibrary, vector: Vector): Getter {
  const fields = (vector.type as DataType).children.map(({ name }, index) => {
    const child = vector.getChildAt<DataType>(index);
    return { name, get: child === null ? () => null : getterOf(arrow, child) };
  });
  return (row) =>
    vector.isValid(row) ? Object.fromEntries(fields.map(({ name, get }): [string, unknown] => [name, get(row)])) : null;
}

/** Bytes are views of the whole batch's buffer: a copy lets go of it. */
function copied(value: unknown): unknown {
  return value instanceof Uint8Array ? value.slice() : value;
}
