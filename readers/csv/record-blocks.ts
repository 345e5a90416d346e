import type { FileEntry } from "../../lib/core/contracts/file-system.ts";
import type { SplitRequest } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { byteOrderMarkBytes } from "../text/decode.ts";
import { lineBlocks, type LineBlock } from "../text/line-blocks.ts";
import type { TextSource } from "../text/source.ts";
import type { Dialect } from "./dialect.ts";
import { RecordScanner } from "./record-scanner.ts";

// Fields are slices of the text of their block and keep it alive: a block is a small part of what is read at once.
const blockBytes = 128 << 10;
const scanBytes = 1 << 20;

/**
 * The records of a split, in blocks of whole records; the file's byte order mark is left out. Where line ends can be quoted,
 * `from` is the start of a record; else it can be anywhere, as for lines.
 */
export async function* recordBlocks(
  source: TextSource,
  from: number,
  dialect: Dialect,
  recordBytesMax: number,
): AsyncGenerator<LineBlock, void> {
  const blocks = dialect.quotedNewlines
    ? quotedBlocks(source, from, dialect, recordBytesMax)
    : cutAtLines(lineBlocks(source, from, recordBytesMax));
  for await (const block of blocks) {
    const mark = block.position === 0 ? byteOrderMarkBytes(block.bytes) : 0;
    yield mark === 0 ? block : { bytes: block.bytes.subarray(mark), position: mark };
  }
}

async function* cutAtLines(blocks: AsyncIterable<LineBlock>): AsyncGenerator<LineBlock, void> {
  for await (const { bytes, position } of blocks) {
    let start = 0;
    while (start < bytes.byteLength) {
      const end = bytes.indexOf(10, Math.min(bytes.byteLength - 1, start + blockBytes)) + 1 || bytes.byteLength;
      yield { bytes: bytes.subarray(start, end), position: position + start };
      start = end;
    }
  }
}

async function* quotedBlocks(
  source: TextSource,
  from: number,
  dialect: Dialect,
  recordBytesMax: number,
): AsyncGenerator<LineBlock, void> {
  const scanner = new RecordScanner(dialect);
  let position = from;
  let rest: Buffer | undefined;
  for await (const read of source.blocks(from)) {
    for (let start = 0; start < read.byteLength; start += blockBytes) {
      const room = source.end - position - (rest?.byteLength ?? 0);
      const fresh = read.subarray(start, Math.min(start + blockBytes, start + room));
      const known = rest?.byteLength ?? 0;
      // A byte order mark isn't part of the first field, so a quote behind it opens.
      const mark = position === 0 && known === 0 ? byteOrderMarkBytes(fresh) : 0;
      scanner.feed(fresh.subarray(mark));
      const bytes: Buffer = rest === undefined ? fresh : Buffer.concat([rest, fresh]);
      const whole = scanner.last === -1 ? 0 : known + mark + scanner.last;
      if (whole > 0) yield { bytes: bytes.subarray(0, whole), position };
      position += whole;
      rest = whole < bytes.byteLength ? bytes.subarray(whole) : undefined;
      if (rest !== undefined && rest.byteLength > recordBytesMax) throw await tooLong(source, position, recordBytesMax);
      if (position + (rest?.byteLength ?? 0) >= source.end) {
        if (rest !== undefined) yield { bytes: rest, position };
        return;
      }
    }
  }
  if (rest !== undefined) yield { bytes: rest, position };
}

async function tooLong(source: TextSource, position: number, recordBytesMax: number): Promise<QStreamError> {
  return new QStreamError("LIMIT_EXCEEDED", `a record has more than ${recordBytesMax} bytes: is a quote not closed?`, {
    file: source.file,
    line: await source.lineAt(position),
    advice:
      "Correct the quotes, set quote: false or quotedNewlines: false, or raise the reader's option recordBytesMax.",
  });
}

/** Starts of records that cut a file into ranges of about `size` bytes: the whole file is scanned for quotes. */
export async function recordCuts(
  file: FileEntry,
  size: number,
  dialect: Dialect,
  request: SplitRequest,
): Promise<number[]> {
  const open = await request.files.open(file, request.signal);
  try {
    const scanner = new RecordScanner(dialect);
    const cuts: number[] = [];
    let target = size;
    let position = byteOrderMarkBytes(await open.read(0, 3));
    while (position < file.bytes && target < file.bytes) {
      request.signal.throwIfAborted();
      const read = await open.read(position, scanBytes);
      const block = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
      // A split is never smaller than a scanned block, but for sizes that only tests ask for: then blocks are smaller.
      for (let start = 0; start < block.byteLength; start += Math.min(size, scanBytes)) {
        const part = block.subarray(start, start + Math.min(size, scanBytes));
        scanner.feed(part, target - position - start);
        if (scanner.first === -1) continue;
        const cut = position + start + scanner.first;
        if (cut < file.bytes) cuts.push(cut);
        target = cut + size;
      }
      position += block.byteLength;
    }
    return cuts;
  } finally {
    await open.close();
  }
}
