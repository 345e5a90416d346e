import type { Data, DataType, Schema, Table, Vector } from "apache-arrow";
import { checkFrame, type Frame } from "./frame.ts";
import type { ArrowLibrary } from "./libraries.ts";
import { type Physical, physicalOf } from "./physical.ts";

/**
 * Builds an Arrow table over a frame's buffers without copying them. Rows, nulls and buffer lengths are checked against each
 * other first, so that no value that is read later lies outside of its buffer.
 * @param shared - dictionaries that aren't in the frame, in the order of their columns; absent where the frame has them
 */
export function readTable(
  arrow: ArrowLibrary,
  frame: Frame,
  schema: Schema,
  shared?: readonly (Vector | undefined)[],
): Table {
  const reader = new ColumnReader(arrow, frame, shared);
  const children = schema.fields.map((field) => reader.column(field.type as DataType, field.name, frame.rows));
  reader.finish();
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length: frame.rows, nullCount: 0, children });
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]);
}

interface Buffers {
  readonly valueOffsets?: Int32Array | BigInt64Array;
  readonly data?: ArrayBufferView;
  readonly views?: Uint8Array;
  readonly variadicBuffers?: readonly Uint8Array[];
  readonly child?: Data;
  readonly children?: readonly Data[];
  readonly dictionary?: Vector;
}

/** Takes nodes and buffers in the order in which they were written. */
class ColumnReader {
  readonly #arrow: ArrowLibrary;
  readonly #frame: Frame;
  readonly #shared: (Vector | undefined)[] | undefined;
  #node = 0;
  #buffer = 0;

  constructor(arrow: ArrowLibrary, frame: Frame, shared: readonly (Vector | undefined)[] | undefined) {
    this.#arrow = arrow;
    this.#frame = frame;
    this.#shared = shared?.slice();
  }

  column(type: DataType, name: string, expected?: number): Data {
    const at = this.#node++ * 2;
    checkFrame(at < this.#frame.nodes.length, "it has fewer columns than its schema");
    const length = this.#frame.nodes[at] as number;
    const nullCount = this.#frame.nodes[at + 1] as number;
    checkFrame(expected === undefined || length === expected, `column "${name}" has ${length} rows of ${expected}`);
    checkFrame(nullCount <= length, `column "${name}" has more nulls than rows`);
    const physical = physicalOf(type, name);
    if (physical.kind === "null") return this.#make({ type, length });
    const nullBitmap = this.#next(nullCount === 0 ? 0 : Math.ceil(length / 8), name);
    const content = this.#content(type, physical, length, name);
    return this.#make({ type, length, nullCount, ...(nullCount === 0 ? {} : { nullBitmap }), ...content });
  }

  finish(): void {
    const { nodes, buffers } = this.#frame;
    checkFrame(
      this.#node * 2 === nodes.length && this.#buffer * 2 === buffers.length,
      "it has more columns than its schema",
    );
  }

  #content(type: DataType, physical: Exclude<Physical, { kind: "null" }>, length: number, name: string): Buffers {
    switch (physical.kind) {
      case "bits":
        return { data: this.#next(Math.ceil(length / 8), name) };
      case "fixed":
        return { data: this.#typed(type, this.#next(length * physical.width, name)) };
      case "bytes": {
        const offsets = this.#offsets(length, physical.wide, name);
        const data = this.#next(0, name);
        checkFrame(offsets.last <= data.byteLength, `the values of column "${name}" reach beyond their end`);
        return { valueOffsets: offsets.valueOffsets, data };
      }
      case "view":
        return { views: this.#next(length * 16, name), variadicBuffers: [this.#next(0, name)] };
      case "list": {
        const { valueOffsets, last } = this.#offsets(length, physical.wide, name);
        const child = this.column(childType(type, 0), name);
        checkFrame(last <= child.length, `the lists of column "${name}" reach beyond their end`);
        return { valueOffsets, child };
      }
      case "fixed-list":
        return { child: this.column(childType(type, 0), name, length * physical.size) };
      case "struct":
        return {
          children: type.children.map((field) => this.column((field as { type: DataType }).type, name, length)),
        };
      case "dictionary": {
        const indices = (type as unknown as { readonly indices: DataType }).indices;
        const data = this.#typed(indices, this.#next(length * physical.width, name));
        return { data, dictionary: this.#dictionary(type, name) };
      }
    }
  }

  #dictionary(type: DataType, name: string): Vector {
    const shared = this.#shared?.shift();
    if (shared !== undefined) return shared;
    const entryType = (type as unknown as { readonly dictionary: DataType }).dictionary;
    if (this.#shared !== undefined) return new this.#arrow.Vector([this.#make({ type: entryType, length: 0 })]);
    return new this.#arrow.Vector([this.column(entryType, name)]).memoize() as Vector;
  }

  #offsets(length: number, wide: boolean, name: string): { valueOffsets: Int32Array | BigInt64Array; last: number } {
    const bytes = this.#next((length + 1) * (wide ? 8 : 4), name);
    if (wide) {
      const valueOffsets = new BigInt64Array(bytes.buffer, bytes.byteOffset, length + 1);
      return { valueOffsets, last: Number(valueOffsets[length]) };
    }
    const valueOffsets = new Int32Array(bytes.buffer, bytes.byteOffset, length + 1);
    return { valueOffsets, last: valueOffsets[length] as number };
  }

  #next(atLeast: number, name: string): Uint8Array {
    const { buffers, bytes } = this.#frame;
    const at = this.#buffer++ * 2;
    checkFrame(at < buffers.length, "it has fewer buffers than its schema asks for");
    const length = buffers[at + 1] as number;
    checkFrame(length >= atLeast, `a buffer of column "${name}" has ${length} bytes of ${atLeast}`);
    return new Uint8Array(bytes, (buffers[at] as number) * 8, length);
  }

  #typed(type: DataType, bytes: Uint8Array): ArrayBufferView {
    const TypedArray = type.ArrayType as unknown as {
      readonly BYTES_PER_ELEMENT: number;
      new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
    };
    return new TypedArray(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / TypedArray.BYTES_PER_ELEMENT));
  }

  #make(properties: { type: DataType; length: number; nullCount?: number; nullBitmap?: Uint8Array } & Buffers): Data {
    return this.#arrow.makeData(properties as Parameters<ArrowLibrary["makeData"]>[0]) as Data;
  }
}

function childType(type: DataType, index: number): DataType {
  return (type.children[index] as { readonly type: DataType }).type;
}
