import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { invariant, QStreamError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import {
  chunksOf,
  columnIndex,
  encodeByChannel,
  encodeTable,
  gatherTable,
  rowsOf,
  tableBytes,
} from "./arrow-tables.ts";
import { concatTables } from "./concat-tables.ts";
import { contents, createFrame, decodeSound, openFrame } from "./frame.ts";
import { tableFromObjects } from "./from-objects.ts";
import { hashRows } from "./hash-rows.ts";
import { type ArrowLibrary, loadPolars } from "./libraries.ts";
import { frameBytes, frameToIpc, frameToTable, ipcToFrame, tableToFrame } from "./polars-frames.ts";
import { readTable } from "./read-columns.ts";
import { isRecordBatch, type Representation, representationOf } from "./representation.ts";
import { SchemaCodec } from "./schema-bytes.ts";
import { columnValues, objectReader } from "./values.ts";
import { verifyIpc } from "./verify-ipc.ts";
import type { ColumnarView } from "./view.ts";

/** What the engine and operators do with columnar batches. A batch is an Arrow table (or record batch) or a Polars frame. */
export interface BatchSupport {
  /** Rows of a batch. */
  rows: (batch: unknown) => number;
  /** Bytes that a batch's rows take, for limits: exact but for a Polars frame's lists, structs and binary values. */
  bytes: (batch: unknown) => number;
  /** What partition functions see of a batch. A Polars frame is converted to Arrow once, for this and for what follows. */
  view: (batch: unknown) => ColumnarView;
  /** The rows from `from` to before `to`, without a copy. */
  slice: (batch: unknown, from: number, to: number) => unknown;
  /**
   * Copies each row to its channel's batch, which has the given one's representation; undefined for channels without rows.
   * @throws CHANNEL_OUT_OF_RANGE, UNSUPPORTED (naming the column) for unions and unknown types
   */
  gather: (batch: unknown, channelOfRow: Uint16Array, channels: number) => (unknown | undefined)[];
  /** One buffer that holds the batch's rows; `decode` gives a batch of the same representation back. */
  encode: (batch: unknown) => Payload;
  /** `gather` and `encode` in one: values are copied once, into the payloads. */
  encodeGathered: (batch: unknown, channelOfRow: Uint16Array, channels: number) => (Payload | undefined)[];
  /** The batch of a payload. An Arrow table's columns are views of the payload's bytes. @throws FRAME_INVALID */
  decode: (payload: Payload) => unknown;
  toPolars: (batch: unknown) => DataFrame;
  toArrow: (batch: unknown) => Table;
  fromPolars: (frame: DataFrame, representation: Representation) => unknown;
  /**
   * Rows as plain objects: 64-bit integers are bigints, timestamps and dates are Dates (at millisecond precision), decimals
   * are text, lists arrays, structs objects, missing values null.
   */
  toObjects: (batch: unknown) => Record<string, unknown>[];
  /** A batch of plain objects; types are inferred from all of them (see `tableFromObjects`). */
  fromObjects: (objects: readonly Readonly<Record<string, unknown>>[], representation: Representation) => unknown;
  /** One batch with the rows of several that have the same columns and representation. @throws BAD_INPUT, MIXED_REPRESENTATION */
  concat: (batches: readonly unknown[]) => unknown;
}

/** Makes the support over a loaded Arrow library; Polars is loaded when the first frame comes. */
export function createBatchSupport(arrow: ArrowLibrary): BatchSupport {
  return new LoadedBatchSupport(arrow);
}

class LoadedBatchSupport implements BatchSupport {
  readonly #arrow: ArrowLibrary;
  readonly #schemas: SchemaCodec;
  /** The frame that was converted last, so that hashing and gathering it convert it once. */
  #converted: { readonly frame: WeakRef<object>; readonly table: Table } | undefined;

  constructor(arrow: ArrowLibrary) {
    this.#arrow = arrow;
    this.#schemas = new SchemaCodec(arrow);
  }

  rows = (batch: unknown): number => (isFrame(batch) ? batch.height : rowsOf(this.#table(batch)));

  bytes = (batch: unknown): number => (isFrame(batch) ? frameBytes(batch) : tableBytes(this.#table(batch)));

  view = (batch: unknown): ColumnarView => {
    const table = this.#table(batch);
    const rows = rowsOf(table);
    return {
      batch,
      rows,
      columns: table.schema.fields.map((field) => field.name),
      hashRows: (columns) =>
        hashRows(
          columns.map((name) => ({ name, chunks: chunksOf(table, columnIndex(table.schema, name)) })),
          rows,
        ),
      values: (column) => columnValues(chunksOf(table, columnIndex(table.schema, column)), column, "number"),
    };
  };

  slice = (batch: unknown, from: number, to: number): unknown =>
    isFrame(batch) ? batch.slice(from, Math.max(0, to - from)) : this.#table(batch).slice(from, Math.max(from, to));

  gather = (batch: unknown, channelOfRow: Uint16Array, channels: number): (unknown | undefined)[] => {
    const table = this.#routedTable(batch, channelOfRow);
    const tables = gatherTable(this.#arrow, table, channelOfRow, channels);
    if (!isFrame(batch)) return tables;
    return tables.map((gathered) => (gathered === undefined ? undefined : tableToFrame(this.#arrow, gathered)));
  };

  encode = (batch: unknown): Payload => {
    if (isFrame(batch)) return encodeFrame(batch);
    const table = this.#table(batch);
    return { format: "batch", rows: rowsOf(table), bytes: encodeTable(table, this.#schemas, contents.arrow) };
  };

  encodeGathered = (batch: unknown, channelOfRow: Uint16Array, channels: number): (Payload | undefined)[] => {
    const table = this.#routedTable(batch, channelOfRow);
    const content = isFrame(batch) ? contents.polars : contents.arrow;
    return encodeByChannel(table, channelOfRow, channels, this.#schemas, content).map((encoded) =>
      encoded === undefined ? undefined : { format: "batch", ...encoded },
    );
  };

  decode = (payload: Payload): unknown => {
    const frame = openFrame(payload.bytes);
    if (frame.content === contents.ipc) {
      const [at = 0, length = 0] = frame.buffers;
      const ipc = new Uint8Array(frame.bytes, at * 8, length);
      return decodeSound(() => {
        verifyIpc(ipc);
        return ipcToFrame(ipc);
      });
    }
    return decodeSound(() => {
      const table = readTable(this.#arrow, frame, this.#schemas.decode(frame.schema));
      return frame.content === contents.polars ? tableToFrame(this.#arrow, table) : table;
    });
  };

  toPolars = (batch: unknown): DataFrame => (isFrame(batch) ? batch : tableToFrame(this.#arrow, this.#table(batch)));

  toArrow = (batch: unknown): Table => this.#table(batch);

  fromPolars = (frame: DataFrame, representation: Representation): unknown =>
    representation === "polars" ? frame : frameToTable(this.#arrow, frame);

  toObjects = (batch: unknown): Record<string, unknown>[] => {
    const table = this.#table(batch);
    const names = table.schema.fields.map((field) => field.name);
    const columns = names.map((name, index) => columnValues(chunksOf(table, index), name, "date"));
    const read = objectReader(names, columns);
    return Array.from({ length: rowsOf(table) }, (_, row) => read(row));
  };

  fromObjects = (objects: readonly Readonly<Record<string, unknown>>[], representation: Representation): unknown => {
    const table = tableFromObjects(this.#arrow, objects);
    return representation === "arrow" ? table : tableToFrame(this.#arrow, table);
  };

  concat = (batches: readonly unknown[]): unknown => {
    const frames = batches.filter((batch) => isFrame(batch));
    if (frames.length === 0)
      return concatTables(
        this.#arrow,
        batches.map((batch) => this.#table(batch)),
      );
    if (frames.length === batches.length) return concatFrames(frames);
    throw new QStreamError("MIXED_REPRESENTATION", "Arrow tables and Polars frames can't become one batch", {
      advice: "Convert the stream to one of them first.",
    });
  };

  /** The batch as an Arrow table. */
  #table(batch: unknown): Table {
    if (!isFrame(batch)) {
      invariant(representationOf(batch) === "arrow", "a columnar batch is a Table, a RecordBatch or a DataFrame");
      return isRecordBatch(batch) ? new this.#arrow.Table([batch as never]) : (batch as Table);
    }
    if (this.#converted?.frame.deref() === batch) return this.#converted.table;
    const table = frameToTable(this.#arrow, batch);
    this.#converted = { frame: new WeakRef(batch), table };
    return table;
  }

  /** The table of a batch that is now routed; a conversion that was kept for it isn't needed any more. */
  #routedTable(batch: unknown, channelOfRow: Uint16Array): Table {
    const table = this.#table(batch);
    this.#converted = undefined;
    const rows = rowsOf(table);
    invariant(channelOfRow.length >= rows, `${channelOfRow.length} channels were given for ${rows} rows`);
    return table;
  }
}

function isFrame(batch: unknown): batch is DataFrame {
  return representationOf(batch) === "polars";
}

function encodeFrame(frame: DataFrame): Payload {
  const ipc = frameToIpc(frame);
  const encoded = createFrame(contents.ipc, frame.height, new Uint8Array(0), [], [ipc.byteLength]);
  new Uint8Array(encoded.bytes, (encoded.buffers[0] as number) * 8, ipc.byteLength).set(ipc);
  return { format: "batch", rows: frame.height, bytes: encoded.bytes };
}

function concatFrames(frames: readonly DataFrame[]): DataFrame {
  const [first] = frames as readonly [DataFrame];
  if (frames.length === 1) return first;
  try {
    return loadPolars().concat(frames as DataFrame[], { how: "vertical" });
  } catch (error) {
    throw new QStreamError("BAD_INPUT", "Polars frames with different columns can't become one", {
      advice: "Select and convert the columns so that all batches of the stream have the same.",
      cause: error,
    });
  }
}
