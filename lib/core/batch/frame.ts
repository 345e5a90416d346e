import { QStreamError } from "../errors.ts";
import type { ColumnLayout } from "./layout.ts";
import { aligned } from "./physical.ts";

/*
 * The bytes of a batch's payload, all numbers little-endian:
 *   eight 32-bit words: magic, content, rows, total bytes / 8, bytes of the schema, nodes, buffers, 0
 *   for each node (a column or a level of one): rows, nulls
 *   for each buffer: position / 8, bytes
 *   the schema as an Arrow IPC stream without batches, or for content `ipc` nothing
 *   the buffers, each at a multiple of eight bytes
 */

const magic = 0x31425351;
const headerWords = 8;

/** What a frame holds: columns for an Arrow table, columns for a Polars frame, or an Arrow IPC stream for one. */
export const contents = { arrow: 1, polars: 2, ipc: 3 } as const;
export type Content = (typeof contents)[keyof typeof contents];

/** A frame that was opened: its tables are checked against its length. */
export interface Frame {
  readonly bytes: ArrayBuffer;
  readonly content: Content;
  readonly rows: number;
  readonly schema: Uint8Array;
  /** Rows and nulls of each node. */
  readonly nodes: Uint32Array;
  /** Position / 8 and byte length of each buffer. */
  readonly buffers: Uint32Array;
}

const frameBytesMax = 2 ** 34;

/** Allocates a frame for measured columns and writes all but the buffers' contents. */
export function createFrame(
  content: Content,
  rows: number,
  schema: Uint8Array,
  nodes: readonly number[],
  lengths: readonly number[],
): Frame {
  const tableWords = headerWords + nodes.length + lengths.length * 2;
  const schemaAt = aligned(tableWords * 4);
  let position = schemaAt + aligned(schema.byteLength);
  const table = new Uint32Array(lengths.length * 2);
  for (const [index, length] of lengths.entries()) {
    table[index * 2] = position / 8;
    table[index * 2 + 1] = length;
    position += aligned(length);
  }
  if (position > frameBytesMax) {
    throw new QStreamError("LIMIT_EXCEEDED", `a batch has ${position} bytes`, { advice: "Make smaller batches." });
  }
  const bytes = new ArrayBuffer(position);
  const words = new Uint32Array(bytes, 0, tableWords);
  words.set([magic, content, rows, position / 8, schema.byteLength, nodes.length / 2, lengths.length, 0]);
  words.set(nodes, headerWords);
  words.set(table, headerWords + nodes.length);
  new Uint8Array(bytes, schemaAt, schema.byteLength).set(schema);
  return framePieces(bytes);
}

/** Nodes and buffer lengths of columns, in the order in which both writing and reading visit them. */
export function tablesOf(columns: readonly ColumnLayout[]): { readonly nodes: number[]; readonly lengths: number[] } {
  const nodes: number[] = [];
  const lengths: number[] = [];
  const visit = (layout: ColumnLayout): void => {
    nodes.push(layout.rows, layout.nulls);
    lengths.push(...layout.buffers);
    for (const child of layout.children) visit(child);
    if (layout.dictionary?.entries !== undefined) visit(layout.dictionary.entries);
  };
  for (const column of columns) visit(column);
  return { nodes, lengths };
}

function framePieces(bytes: ArrayBuffer): Frame {
  const [, content, rows, , schemaBytes, nodes, buffers] = new Uint32Array(bytes, 0, headerWords) as unknown as [
    number,
    Content,
    number,
    number,
    number,
    number,
    number,
  ];
  const nodesAt = headerWords * 4;
  const buffersAt = nodesAt + nodes * 8;
  const schemaAt = aligned(buffersAt + buffers * 8);
  return {
    bytes,
    content,
    rows,
    nodes: new Uint32Array(bytes, nodesAt, nodes * 2),
    buffers: new Uint32Array(bytes, buffersAt, buffers * 2),
    schema: new Uint8Array(bytes, schemaAt, schemaBytes),
  };
}

/** Opens received bytes: every length in them is checked before anything is built from it. @throws FRAME_INVALID */
export function openFrame(bytes: ArrayBuffer): Frame {
  const { byteLength } = bytes;
  checkFrame(byteLength >= headerWords * 4 && byteLength % 8 === 0, "it is too short");
  const [found, content, , eighths, schemaBytes, nodes, buffers] = new Uint32Array(
    bytes,
    0,
    headerWords,
  ) as unknown as [number, number, number, number, number, number, number];
  checkFrame(found === magic, "it doesn't start with the mark of a batch");
  checkFrame(content >= contents.arrow && content <= contents.ipc, "its kind of content is unknown");
  checkFrame(eighths * 8 === byteLength, "its length isn't what it says");
  const schemaAt = headerWords * 4 + nodes * 8 + buffers * 8;
  const dataAt = schemaAt + aligned(schemaBytes);
  checkFrame(dataAt <= byteLength, "its tables reach beyond its end");
  const frame = framePieces(bytes);
  for (let index = 0; index < buffers; index++) {
    const start = (frame.buffers[index * 2] as number) * 8;
    const end = start + (frame.buffers[index * 2 + 1] as number);
    checkFrame(start >= dataAt && end <= byteLength, `buffer ${index} reaches beyond its end`);
  }
  return frame;
}

/** Throws FRAME_INVALID unless what must be true of a frame's bytes is true. */
export function checkFrame(holds: boolean, what: string): asserts holds {
  if (holds) return;
  throw new QStreamError("FRAME_INVALID", `the bytes of a batch are damaged: ${what}`, {
    advice: "They were changed on their way or come from another version of QStream.",
  });
}

/** Runs a decoder of a frame's inner bytes: what it throws means that they are damaged. @throws FRAME_INVALID */
export function decodeSound<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof QStreamError && ["PACKAGE_MISSING", "FRAME_INVALID"].includes(error.code)) throw error;
    throw new QStreamError("FRAME_INVALID", "the bytes of a batch are damaged: their Arrow part can't be read", {
      advice: "They were changed on their way or come from another version of QStream.",
      cause: error,
    });
  }
}
