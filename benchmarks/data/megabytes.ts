import { Field, Float64, Int32, makeData, RecordBatch, Schema, Struct, Table } from "apache-arrow";
import { nextState, stateOf } from "./draw.ts";

/** Rows of a megabyte: two floats and a whole number, 20 bytes. */
export const megabyteRows = 50_000;
export const megabyteBytes = megabyteRows * 20;

const valuesAt = 0;
const weightsAt = megabyteRows * 8;
const keysAt = megabyteRows * 16;

const schema = new Schema([
  new Field("value", new Float64(), false),
  new Field("weight", new Float64(), false),
  new Field("key", new Int32(), false),
]);

/** What a receiver makes of megabytes: every field of every row is read. Sums are exact. */
export interface MegabyteSums {
  readonly rows: number;
  readonly values: number;
  readonly weights: number;
  readonly keys: number;
}

export const noMegabytes: MegabyteSums = { rows: 0, values: 0, weights: 0, keys: 0 };

/** Draws the columns of one megabyte into one piece of memory. */
export function drawMegabyte(seed: number, index: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(megabyteBytes);
  const { values, weights, keys } = columnsOf(bytes);
  let state = stateOf(seed, index);
  for (let row = 0; row < megabyteRows; row++) {
    state = nextState(state);
    values[row] = (state & 0xffff) / 4;
    weights[row] = (state >>> 16) / 16;
    keys[row] = state >> 8;
  }
  return bytes;
}

/** The same memory as an Arrow table. */
export function tableOf(bytes: Uint8Array<ArrayBuffer>): Table {
  const { values, weights, keys } = columnsOf(bytes);
  const length = megabyteRows;
  const nullCount = 0;
  const children = [
    makeData({ type: new Float64(), length, nullCount, data: values }),
    makeData({ type: new Float64(), length, nullCount, data: weights }),
    makeData({ type: new Int32(), length, nullCount, data: keys }),
  ];
  const data = makeData({ type: new Struct(schema.fields), length, nullCount, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

export function addMegabyte(sums: MegabyteSums, bytes: Uint8Array<ArrayBuffer>): MegabyteSums {
  const { values, weights, keys } = columnsOf(bytes);
  return addColumns(sums, values, weights, keys);
}

export function addTable(sums: MegabyteSums, table: Table): MegabyteSums {
  let sum = sums;
  for (const batch of table.batches) {
    const [values, weights, keys] = batch.data.children.map((column) => column.values as Float64Array | Int32Array);
    sum = addColumns(sum, values as Float64Array, weights as Float64Array, keys as Int32Array);
  }
  return sum;
}

function addColumns(sums: MegabyteSums, value: Float64Array, weight: Float64Array, key: Int32Array): MegabyteSums {
  let { values, weights, keys } = sums;
  for (let row = 0; row < value.length; row++) {
    values += value[row] ?? 0;
    weights += weight[row] ?? 0;
    keys += key[row] ?? 0;
  }
  return { rows: sums.rows + value.length, values, weights, keys };
}

function columnsOf({ buffer, byteOffset }: Uint8Array<ArrayBuffer>) {
  return {
    values: new Float64Array(buffer, byteOffset + valuesAt, megabyteRows),
    weights: new Float64Array(buffer, byteOffset + weightsAt, megabyteRows),
    keys: new Int32Array(buffer, byteOffset + keysAt, megabyteRows),
  };
}
