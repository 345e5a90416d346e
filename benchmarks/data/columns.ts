import { Field, Float64, Int32, makeData, RecordBatch, Schema, Struct, Table, Utf8, type Data } from "apache-arrow";
import { nextState, stateOf } from "./draw.ts";

export const batchRows = 1 << 16;

const schema = new Schema([
  new Field("key", new Int32(), false),
  new Field("price", new Float64(), false),
  new Field("weight", new Float64(), false),
  new Field("name", new Utf8(), false),
]);

/** Draws one batch: a key, two measures, and a name of 4 to 11 letters. Sums of the measures are exact. */
export function drawBatch(seed: number, index: number): Table {
  const key = new Int32Array(batchRows);
  const price = new Float64Array(batchRows);
  const weight = new Float64Array(batchRows);
  const offsets = new Int32Array(batchRows + 1);
  const letters = new Uint8Array(batchRows * 11);
  let state = stateOf(seed, index);
  let end = 0;
  for (let row = 0; row < batchRows; row++) {
    state = nextState(state);
    key[row] = state;
    state = nextState(state);
    price[row] = (state & 0xfffff) / 16;
    state = nextState(state);
    weight[row] = (state & 0xfffff) / 256;
    for (const next = end + 4 + (state >>> 29); end < next; end++) {
      state = nextState(state);
      letters[end] = 97 + ((state >>> 8) % 26);
    }
    offsets[row + 1] = end;
  }
  const nullCount = 0;
  const length = batchRows;
  const children: Data[] = [
    makeData({ type: new Int32(), length, nullCount, data: key }),
    makeData({ type: new Float64(), length, nullCount, data: price }),
    makeData({ type: new Float64(), length, nullCount, data: weight }),
    makeData({ type: new Utf8(), length, nullCount, valueOffsets: offsets, data: letters.slice(0, end) }),
  ];
  const data = makeData({ type: new Struct(schema.fields), length, nullCount, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

/** What receivers make of batches: every field of every row is read. */
export interface ColumnSums {
  readonly rows: number;
  readonly keys: number;
  readonly prices: number;
  readonly weights: number;
  readonly letters: number;
  /** Names that begin with an a. */
  readonly names: number;
}

export const noSums: ColumnSums = { rows: 0, keys: 0, prices: 0, weights: 0, letters: 0, names: 0 };

export function addSums(left: ColumnSums, right: ColumnSums): ColumnSums {
  return {
    rows: left.rows + right.rows,
    keys: left.keys + right.keys,
    prices: left.prices + right.prices,
    weights: left.weights + right.weights,
    letters: left.letters + right.letters,
    names: left.names + right.names,
  };
}

export function sumTable(table: Table): ColumnSums {
  let letters = 0;
  let names = 0;
  for (const { length, valueOffsets, values } of dataOf<Utf8>(table, "name")) {
    letters += (valueOffsets[length] ?? 0) - (valueOffsets[0] ?? 0);
    for (let row = 0; row < length; row++) if (values[valueOffsets[row] ?? 0] === 97) names++;
  }
  return {
    rows: table.numRows,
    keys: sumOf(dataOf<Int32>(table, "key")),
    prices: sumOf(dataOf<Float64>(table, "price")),
    weights: sumOf(dataOf<Float64>(table, "weight")),
    letters,
    names,
  };
}

function dataOf<T extends Int32 | Float64 | Utf8>(table: Table, column: string): readonly Data<T>[] {
  return (table.getChild(column)?.data ?? []) as readonly Data<T>[];
}

function sumOf(parts: readonly Data<Int32 | Float64>[]): number {
  let sum = 0;
  for (const { values, length } of parts) for (let row = 0; row < length; row++) sum += values[row] ?? 0;
  return sum;
}
