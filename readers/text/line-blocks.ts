import { QStreamError } from "../../lib/core/errors.ts";
import type { TextSource } from "./source.ts";

/** Whole lines with their line ends (the file's last line may have none), and where the first one starts. */
export interface LineBlock {
  readonly bytes: Buffer;
  readonly position: number;
}

/** Bytes that a line may have when the user sets nothing. */
export const lineBytesMaxDefault = 16 << 20;

const newline = 10;

/**
 * The lines that start in [from, source.end), in blocks of about a read. A split that begins inside a line leaves that line
 * to the split before it: looking at the byte before `from` tells.
 */
export async function* lineBlocks(
  source: TextSource,
  from: number,
  lineBytesMax: number,
): AsyncGenerator<LineBlock, void> {
  const end = source.end;
  let position = Math.max(0, from - 1);
  let inForeignLine = from > 0;
  let rest: Buffer | undefined;
  for await (const block of source.blocks(position)) {
    let bytes = rest === undefined ? block : Buffer.concat([rest, block]);
    rest = undefined;
    if (inForeignLine) {
      const foreignEnd = bytes.indexOf(newline) + 1;
      position += foreignEnd === 0 ? bytes.byteLength : foreignEnd;
      if (position >= end) return;
      if (foreignEnd === 0) continue;
      inForeignLine = false;
      bytes = bytes.subarray(foreignEnd);
    }
    const lastEnd = position + bytes.byteLength < end ? 0 : bytes.indexOf(newline, Math.max(0, end - 1 - position)) + 1;
    if (lastEnd > 0) {
      yield { bytes: bytes.subarray(0, lastEnd), position };
      return;
    }
    const whole = bytes.lastIndexOf(newline) + 1;
    if (whole > 0) yield { bytes: bytes.subarray(0, whole), position };
    position += whole;
    if (whole < bytes.byteLength) rest = bytes.subarray(whole);
    if (rest !== undefined && rest.byteLength > lineBytesMax) throw await tooLong(source, position, lineBytesMax);
  }
  if (rest !== undefined && !inForeignLine) yield { bytes: rest, position };
}

async function tooLong(source: TextSource, position: number, lineBytesMax: number): Promise<QStreamError> {
  return new QStreamError("LIMIT_EXCEEDED", `a line has more than ${lineBytesMax} bytes`, {
    file: source.file,
    line: await source.lineAt(position),
    advice: "Raise the reader's option lineBytesMax, or check that the file is text with line ends.",
  });
}

/** A block's lines one by one, without their ends: for what a fast path couldn't take. */
export function* singleLines(block: LineBlock): Generator<LineBlock, void> {
  let start = 0;
  while (start < block.bytes.byteLength) {
    const found = block.bytes.indexOf(newline, start);
    const next = found === -1 ? block.bytes.byteLength : found + 1;
    let end = found === -1 ? next : found;
    if (found !== -1 && end > start && block.bytes[end - 1] === 13) end -= 1;
    yield { bytes: block.bytes.subarray(start, end), position: block.position + start };
    start = next;
  }
}
