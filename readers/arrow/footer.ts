import { FlatBytes } from "../../lib/core/batch/flat-bytes.ts";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** One message of an Arrow file with its body: from `start` up to but without `end`. */
export interface ArrowBlock {
  readonly start: number;
  readonly end: number;
}

/** The blocks that a footer lists, and where in the footer it does. */
export interface ArrowBlocks {
  readonly at: number;
  readonly blocks: readonly ArrowBlock[];
}

/** Where an Arrow file has its messages. Every block lies between the magic bytes and the footer. */
export interface ArrowFooter {
  /** The footer itself, a FlatBuffer. */
  readonly bytes: Buffer;
  readonly dictionaries: ArrowBlocks;
  readonly batches: ArrowBlocks;
}

const fileMagic = "ARROW1";
const headBytes = 8;
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
    throw new QStreamError("BAD_INPUT", `the Arrow file is broken: ${what}`, {
      file: path,
      advice: "Write the file again.",
    });
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
  const footer =
    length + 10 <= tail.length ? tail.subarray(-(length + 10), -10) : bufferOf(await file.read(start, length));
  const flat = new FlatBytes(footer, fail);
  const root = flat.root();
  return {
    bytes: footer,
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

function blocksOf(
  flat: FlatBytes,
  vector: { readonly at: number; readonly length: number },
  dataEnd: number,
  fail: (what: string) => never,
): ArrowBlocks {
  const blocks = Array.from({ length: vector.length }, (_, index) => {
    const at = vector.at + index * blockBytes;
    const start = flat.size(at);
    const end = start + flat.view.getInt32(at + 8, true) + flat.size(at + 16);
    if (start < 8 || end <= start || end > dataEnd)
      fail(`its footer names bytes ${start} to ${end} for block ${index}`);
    return { start, end };
  });
  return { at: vector.at, blocks };
}

/** Says which batches a part of a file has, for `partOfFile`. */
export interface ArrowPart {
  readonly footer: ArrowFooter;
  readonly firstBatch: number;
  readonly endBatch: number;
}

/**
 * Makes an Arrow file of a part of another one's batches: its dictionaries and batches one behind the other, and its footer
 * with their new positions. (A stream would be simpler, but needs a schema message, and apache-arrow's files have none.)
 *
 * @param part - which batches
 * @param contents - the bytes of each dictionary, then of each batch of the part
 */
export function partOfFile({ footer, firstBatch, endBatch }: ArrowPart, contents: readonly Uint8Array[]): Buffer {
  const patched = Buffer.from(footer.bytes);
  const parts: Uint8Array[] = [Buffer.from(`${fileMagic}\0\0`, "latin1")];
  let position = 8;
  const place = (content: Uint8Array | undefined, from: number, to: number): void => {
    if (content === undefined) return;
    footer.bytes.copy(patched, to, from, from + blockBytes);
    patched.writeBigInt64LE(BigInt(position), to);
    const padding = (8 - (content.byteLength % 8)) % 8;
    parts.push(content, Buffer.alloc(padding));
    position += content.byteLength + padding;
  };
  const { dictionaries, batches } = footer;
  const dictionaryCount = dictionaries.blocks.length;
  for (let index = 0; index < dictionaryCount; index++) {
    place(contents[index], dictionaries.at + index * blockBytes, dictionaries.at + index * blockBytes);
  }
  for (let batch = firstBatch; batch < endBatch; batch++) {
    const from = batches.at + batch * blockBytes;
    place(contents[dictionaryCount + batch - firstBatch], from, batches.at + (batch - firstBatch) * blockBytes);
  }
  if (batches.at >= 4) patched.writeUInt32LE(endBatch - firstBatch, batches.at - 4);
  const end = Buffer.alloc(10);
  end.writeInt32LE(patched.length);
  end.write(fileMagic, 4, "latin1");
  return Buffer.concat([...parts, patched, end]);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
