import type { Data, DataType, Field, RecordBatch, Schema, Table } from "apache-arrow";
import { QStreamError } from "../errors.ts";
import type { ArrowLibrary } from "./libraries.ts";
import { typeIds } from "./physical.ts";

/**
 * One table with the rows of all, without copying them. Tables must have the same columns in the same order; a column that is
 * all null in one (type Null) takes the type that it has in another.
 * @throws BAD_INPUT naming the first column that differs
 */
export function concatTables(arrow: ArrowLibrary, tables: readonly Table[]): Table {
  const [first] = tables;
  if (first === undefined) return new arrow.Table(new arrow.Schema([]));
  if (tables.length === 1) return first;
  const schema = commonSchema(arrow, tables);
  const batches = tables.flatMap((table) => table.batches.map((batch) => conform(arrow, batch, schema)));
  return new arrow.Table(schema, batches);
}

function commonSchema(arrow: ArrowLibrary, tables: readonly Table[]): Schema {
  const [first] = tables as readonly [Table];
  const fields: Field[] = first.schema.fields.slice();
  for (const { schema } of tables.slice(1)) {
    if (schema.fields.length !== fields.length) {
      throw differs(`one has ${fields.length} columns and one has ${schema.fields.length}`);
    }
    for (const [index, field] of schema.fields.entries()) fields[index] = commonField(fields[index] as Field, field);
  }
  return new arrow.Schema(fields, first.schema.metadata);
}

function commonField(known: Field, other: Field): Field {
  if (known.name !== other.name) throw differs(`one has column "${known.name}" where another has "${other.name}"`);
  if (other.type.typeId === typeIds.null || String(known.type) === String(other.type)) {
    return known.nullable || (!other.nullable && other.type.typeId !== typeIds.null)
      ? known
      : known.clone({ nullable: true });
  }
  if (known.type.typeId === typeIds.null) return other.nullable ? other : other.clone({ nullable: true });
  throw differs(`it is ${String(known.type)} in one and ${String(other.type)} in another`, known.name);
}

function differs(how: string, column?: string): QStreamError {
  return new QStreamError("BAD_INPUT", `batches with different columns can't become one: ${how}`, {
    ...(column === undefined ? {} : { column }),
    advice: "Select and convert the columns so that all batches of the stream have the same.",
  });
}

function conform(arrow: ArrowLibrary, batch: RecordBatch, schema: Schema): RecordBatch {
  const { length } = batch.data;
  const children = schema.fields.map((field, index) => {
    const data = batch.data.children[index] as Data;
    if (data.type === field.type) return data;
    return data.type.typeId === typeIds.null ? nullsOf(arrow, field.type, length) : data.clone(field.type);
  });
  const type = new arrow.Struct(schema.fields);
  return new arrow.RecordBatch(schema, arrow.makeData({ type, length, nullCount: 0, children }));
}

function nullsOf(arrow: ArrowLibrary, type: DataType, length: number): Data {
  const data = arrow.vectorFromArray(
    Array.from({ length }, () => null),
    type,
  ).data[0];
  return data ?? arrow.makeData({ type, length: 0 });
}
