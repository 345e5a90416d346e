import { Field, Float64, Int32, makeData, RecordBatch, Schema, Struct, Table, type Data } from "apache-arrow";
import { batchRows } from "./columns.ts";
import { nextState, stateOf } from "./draw.ts";

/** How rows of a side are drawn. */
export interface SideShape {
  readonly seed: number;
  /** Columns beside the key: measures, whole numbers below 65,536. */
  readonly measures: readonly string[];
  /** Keys are those below this; with `distinct` each comes once, row by row. */
  readonly keys: number;
  readonly distinct: boolean;
}

/** Draws a batch of a side: a key and measures. */
export function drawSide({ seed, measures, keys, distinct }: SideShape, index: number): Table {
  const schema = new Schema([
    new Field("key", new Int32(), false),
    ...measures.map((name) => new Field(name, new Float64(), false)),
  ]);
  const key = new Int32Array(batchRows);
  let state = stateOf(seed, index);
  for (let row = 0; row < batchRows; row++) {
    state = nextState(state);
    key[row] = distinct ? index * batchRows + row : (state >>> 1) % keys;
  }
  const columns: Data[] = [makeData({ type: new Int32(), length: batchRows, nullCount: 0, data: key })];
  for (const _ of measures) {
    const data = new Float64Array(batchRows);
    for (let row = 0; row < batchRows; row++) {
      state = nextState(state);
      data[row] = state & 0xffff;
    }
    columns.push(makeData({ type: new Float64(), length: batchRows, nullCount: 0, data }));
  }
  const struct = makeData({ type: new Struct(schema.fields), length: batchRows, nullCount: 0, children: columns });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}
