import type { Data, Schema, Table, Vector } from "apache-arrow";
import { QStreamError } from "../errors.ts";
import { type Content, contents, createFrame, tablesOf } from "./frame.ts";
import { type ColumnLayout, layOut, offsetsOf, type Part, viewsOf } from "./layout.ts";
import type { ArrowLibrary } from "./libraries.ts";
import { physicalOf } from "./physical.ts";
import { readTable } from "./read-columns.ts";
import type { SchemaCodec } from "./schema-bytes.ts";
import { type Selection, selectionsByChannel, wholeOf } from "./selection.ts";
import { writeColumns } from "./write-columns.ts";

/** The chunks of a table's column, one a record batch. */
export function chunksOf(table: Table, index: number): Data[] {
  return table.batches.map((batch) => batch.data.children[index] as Data);
}

/** Rows of a table. */
export function rowsOf(table: Table): number {
  let rows = 0;
  for (const batch of table.batches) rows += batch.data.length;
  return rows;
}

/** Index of a column. @throws BAD_INPUT where the table has none of this name */
export function columnIndex(schema: Schema, name: string): number {
  const index = schema.fields.findIndex((field) => field.name === name);
  if (index >= 0) return index;
  throw new QStreamError("BAD_INPUT", "a batch doesn't have this column", {
    column: name,
    advice: `It has ${schema.fields.map((field) => `"${field.name}"`).join(", ") || "no columns"}.`,
  });
}

/** Measures the rows of a table that its selections name: one selection a record batch. */
function layOutTable(table: Table, selections: readonly Selection[], shareDictionaries: boolean): ColumnLayout[] {
  return table.schema.fields.map((field, index) => {
    const parts: Part[] = [];
    for (const [at, data] of chunksOf(table, index).entries()) {
      const selection = selections[at] as Selection;
      if (selection.count > 0) parts.push({ data, selection });
    }
    return layOut(field.type, parts, field.name, { shareDictionaries });
  });
}

const countOf = (selections: readonly Selection[]): number => selections.reduce((rows, { count }) => rows + count, 0);

/** Writes a whole table into one buffer; its record batches become one. */
export function encodeTable(table: Table, schemas: SchemaCodec, content: Content): ArrayBuffer {
  const selections = table.batches.map((batch) => wholeOf(batch.data.length));
  return encodeSelected(table, selections, schemas, content);
}

function encodeSelected(
  table: Table,
  selections: readonly Selection[],
  schemas: SchemaCodec,
  content: Content,
): ArrayBuffer {
  const columns = layOutTable(table, selections, false);
  const { nodes, lengths } = tablesOf(columns);
  const frame = createFrame(content, countOf(selections), schemas.encode(table.schema), nodes, lengths);
  writeColumns(frame, columns);
  return frame.bytes;
}

/** Rows of each channel, a selection for each record batch. */
function selectionsOf(table: Table, channelOfRow: Uint16Array, channels: number): Selection[][] {
  const byChannel: Selection[][] = Array.from({ length: channels }, () => []);
  let from = 0;
  for (const batch of table.batches) {
    const { length } = batch.data;
    for (const [channel, selection] of selectionsByChannel(channelOfRow, from, length, channels).entries()) {
      (byChannel[channel] as Selection[]).push(selection);
    }
    from += length;
  }
  return byChannel;
}

/** Writes each channel's rows into a buffer of its own: values are copied once. Channels without rows get undefined. */
export function encodeByChannel(
  table: Table,
  channelOfRow: Uint16Array,
  channels: number,
  schemas: SchemaCodec,
  content: Content,
): ({ readonly rows: number; readonly bytes: ArrayBuffer } | undefined)[] {
  return selectionsOf(table, channelOfRow, channels).map((selections) => {
    const rows = countOf(selections);
    return rows === 0 ? undefined : { rows, bytes: encodeSelected(table, selections, schemas, content) };
  });
}

/** Copies each channel's rows into a table of its own; dictionaries are shared with the given table. */
export function gatherTable(
  arrow: ArrowLibrary,
  table: Table,
  channelOfRow: Uint16Array,
  channels: number,
): (Table | undefined)[] {
  return selectionsOf(table, channelOfRow, channels).map((selections) =>
    countOf(selections) === 0 ? undefined : copyRows(arrow, table, selections, true),
  );
}

const noSchema = new Uint8Array(0);

function copyRows(
  arrow: ArrowLibrary,
  table: Table,
  selections: readonly Selection[],
  shareDictionaries: boolean,
): Table {
  const columns = layOutTable(table, selections, shareDictionaries);
  const { nodes, lengths } = tablesOf(columns);
  const frame = createFrame(contents.arrow, countOf(selections), noSchema, nodes, lengths);
  writeColumns(frame, columns);
  return readTable(arrow, frame, table.schema, shareDictionaries ? columns.flatMap(sharedDictionaries) : undefined);
}

function sharedDictionaries(layout: ColumnLayout): (Vector | undefined)[] {
  if (layout.dictionary === undefined) return layout.children.flatMap(sharedDictionaries);
  const [first, ...others] = layout.dictionary.vectors;
  return [others.length === 0 ? first : (first as Vector).concat(...others)];
}

/**
 * The same rows as one record batch that starts at bit zero, with a dictionary of one piece: what Arrow's IPC writer is sure
 * to write rightly, and Polars to read.
 */
export function compactTable(arrow: ArrowLibrary, table: Table): Table {
  const [only] = table.batches;
  if (table.batches.length === 1 && only !== undefined && startsAtZero(only.data)) return table;
  const whole = table.batches.map((batch) => wholeOf(batch.data.length));
  return copyRows(arrow, table, whole, false);
}

function startsAtZero(data: Data): boolean {
  const dictionary = data.dictionary?.data ?? [];
  return (
    data.offset === 0 && dictionary.length < 2 && dictionary.every(startsAtZero) && data.children.every(startsAtZero)
  );
}

/** Bytes that a table's rows take, each dictionary counted once a chunk. */
export function tableBytes(table: Table): number {
  let bytes = 0;
  for (const batch of table.batches) {
    for (const [index, data] of batch.data.children.entries()) {
      bytes += dataBytes(data, wholeOf(data.length), table.schema.fields[index]?.name ?? "");
    }
  }
  return bytes;
}

function dataBytes(data: Data, { from, count }: Selection, column: string): number {
  const physical = physicalOf(data.type, column);
  if (physical.kind === "null" || count === 0) return 0;
  const validity = (data.nullBitmap?.length ?? 0) === 0 ? 0 : Math.ceil(count / 8);
  const children = (first: number, elements: number): number =>
    data.children.reduce(
      (bytes, child) => bytes + dataBytes(child, { from: first, count: elements, rows: undefined }, column),
      0,
    );
  switch (physical.kind) {
    case "bits":
      return validity + Math.ceil(count / 8);
    case "fixed":
      return validity + count * physical.width;
    case "bytes":
    case "list": {
      const { offsets, shift } = offsetsOf(data);
      const first = offsets[from << shift] as number;
      const elements = (offsets[(from + count) << shift] as number) - first;
      const below = physical.kind === "bytes" ? elements : children(first, elements);
      return validity + (count + 1) * (physical.wide ? 8 : 4) + below;
    }
    case "view":
      return validity + viewBytes(data, from, count);
    case "fixed-list":
      return validity + children(from * physical.size, count * physical.size);
    case "struct":
      return validity + children(from, count);
    case "dictionary": {
      const entries = data.dictionary?.data ?? [];
      return entries.reduce(
        (bytes, chunk) => bytes + dataBytes(chunk, wholeOf(chunk.length), column),
        validity + count * physical.width,
      );
    }
  }
}

function viewBytes(data: Data, from: number, count: number): number {
  const views = viewsOf(data);
  let bytes = count * 16;
  for (let row = from; row < from + count; row++) bytes += Math.max(0, (views[row * 4] as number) - 12);
  return bytes;
}
