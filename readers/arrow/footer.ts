import { FlatBytes } from "../../lib/core/batch/flat-bytes.ts";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** One message of an Arrow file with its body: from `start` up to but without `end`. */
export interface ArrowBlock {
  readonly start: number;
  readonly end: number;
}

/** Where an Arrow file has its messages. Every block lies in the file, behind the schema and before the footer. */
export interface ArrowFooter {
  /** The schema message, with which a stream of the same data begins. */
  readonly schema: ArrowBlock;
  readonly dictionaries: readonly ArrowBlock[];
  readonly batches: readonly ArrowBlock[];
}

const fileMagic = "ARROW1";
const headBytes = 16;
const tailBytes = 64 << 10;
const blockBytes = 24;
const footerBytesMax = 256 << 20;

/**
 * Reads the footer of an Arrow IPC file, or returns undefined if it is a stream, which has none.
 *
 * @throws QStreamError BAD_INPUT for a file that is neither, or whose footer is broken
 */
export async function readArrowFooter(file: OpenFile): Promise<ArrowFooter | undefined> {
  const { path, bytes } = file.entry;
  const fail = (what: string): never => {
    throw new QStreamError("BAD_INPUT", `the Arrow file is broken: ${what}`, { file: path, advice: "Write the file again." });
  };
  const head = bufferOf(await file.read(0, Math.min(bytes, headBytes)));
  if (head.length < 8) fail(`it has ${bytes} bytes, too few for Arrow data`);
  if (head.toString("latin1", 0, fileMagic.length) !== fileMagic) return streamOnly(head, bytes, fail);
  const tail = bufferOf(await file.read(Math.max(0, bytes - tailBytes), Math.min(bytes, tailBytes)));
  if (tail.length < 10 || tail.toString("latin1", tail.length - fileMagic.length) !== fileMagic) {
    fail("it doesn't end with ARROW1: it was cut short");
  }
  const length = tail.readInt32LE(tail.length - 10);
  const start = bytes - 10 - length;
  if (length <= 0 || start < 8) fail(`its footer has the length ${length}`);
  if (length > footerBytesMax) fail(`its footer of ${length} bytes is above the limit of ${footerBytesMax}`);
  const footer = length + 10 <= tail.length ? tail.subarray(-(length + 10), -10) : bufferOf(await file.read(start, length));
  const flat = new FlatBytes(footer, fail);
  const root = flat.root();
  return {
    schema: { start: 8, end: schemaEnd(head, start, fail) },
    dictionaries: blocksOf(flat, root.vector(2, blockBytes), start, fail),
    batches: blocksOf(flat, root.vector(3, blockBytes), start, fail),
  };
}

/** A stream begins with a message: the mark of one, or in the oldest form directly its length. */
function streamOnly(head: Buffer, bytes: number, fail: (what: string) => never): undefined {
  const first = head.readUInt32LE(0);
  const length = first === 0xffffffff ? head.readInt32LE(4) : first;
  if (length > bytes) fail("it begins like neither an Arrow file nor an Arrow stream, or was cut short");
  return undefined;
}

function schemaEnd(head: Buffer, end: number, fail: (what: string) => never): number {
  if (head.length < headBytes) fail("it was cut short");
  const marked = head.readUInt32LE(8) === 0xffffffff;
  const length = head.readInt32LE(marked ? 12 : 8);
  const at = (marked ? 16 : 12) + length;
  if (length <= 0 || at > end) fail(`its schema has the length ${length}`);
  return at;
}

function blocksOf(
  flat: FlatBytes,
  vector: { readonly at: number; readonly length: number },
  dataEnd: number,
  fail: (what: string) => never,
): ArrowBlock[] {
  return Array.from({ length: vector.length }, (_, index) => {
    const at = vector.at + index * blockBytes;
    const start = flat.size(at);
    const end = start + flat.view.getInt32(at + 8, true) + flat.size(at + 16);
    if (start < 8 || end <= start || end > dataEnd) fail(`its footer names bytes ${start} to ${end} for block ${index}`);
    return { start, end };
  });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
