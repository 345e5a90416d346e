import type { Context } from "../../lib/core/contracts/context.ts";
import { run, type Reading, type Run, type Side } from "../../lib/core/contracts/reader.ts";
import { reportBadRow, type BadRow, type BadRows } from "./bad-row.ts";
import { byteOrderMarkBytes, decodeText } from "./decode.ts";
import { lineBlocks, singleLines, type LineBlock } from "./line-blocks.ts";
import type { TextSource } from "./source.ts";

export interface ReadLinesOptions {
  /** Where the source's part begins, in bytes. */
  readonly from: number;
  readonly badLines: BadRows;
  readonly lineBytesMax: number;
}

const runLines = 1000;
const pieceBytesMin = 2 << 10;
const pieceBytesMax = 256 << 10;

/** The lines of a source in runs, without their ends; a line that isn't UTF-8 is reported as the user chose. */
export async function* readLines(
  source: TextSource,
  ctx: Context,
  { from, badLines, lineBytesMax }: ReadLinesOptions,
): AsyncGenerator<Reading<string>, void> {
  // Lines are slices of the text they were decoded with, and keep it alive: so a run is decoded at a time, not a block.
  let lineBytes = 64;
  for await (const block of lineBlocks(source, from, lineBytesMax)) {
    let start = block.position === 0 ? byteOrderMarkBytes(block.bytes) : 0;
    const hasReturns = block.bytes.includes(13);
    while (start < block.bytes.byteLength) {
      const pieceBytes = Math.max(pieceBytesMin, Math.min(pieceBytesMax, Math.floor(lineBytes * runLines)));
      const found = block.bytes.indexOf(10, Math.min(block.bytes.byteLength - 1, start + pieceBytes));
      const end = found === -1 ? block.bytes.byteLength : found + 1;
      const piece = block.bytes.subarray(start, end);
      const text = decodeText(piece);
      if (text === undefined) {
        yield* linesOneByOne({ bytes: piece, position: block.position + start }, source, ctx, badLines);
      } else {
        const objects = splitLines(text, hasReturns);
        lineBytes = piece.byteLength / objects.length;
        yield run(objects);
      }
      start = end;
    }
  }
}

function splitLines(text: string, hasReturns: boolean): string[] {
  const objects = text.split("\n");
  // After the last line end comes no line.
  const open = objects.pop();
  if (open !== undefined && open !== "") objects.push(open);
  if (hasReturns) {
    for (let at = 0; at < objects.length; at++) {
      const line = objects[at];
      if (line !== undefined && line.charCodeAt(line.length - 1) === 13 && (at < objects.length - 1 || open === "")) {
        objects[at] = line.slice(0, -1);
      }
    }
  }
  return objects;
}

async function* linesOneByOne(
  block: LineBlock,
  source: TextSource,
  ctx: Context,
  badLines: BadRows,
): AsyncGenerator<Run<string> | Side<BadRow>, void> {
  let objects: string[] = [];
  for (const line of singleLines(block)) {
    const text = decodeText(line.bytes);
    if (text !== undefined) {
      objects.push(text);
      continue;
    }
    if (objects.length > 0) yield run(objects);
    objects = [];
    yield reportBadRow(badLines, ctx, {
      file: source.file,
      line: await source.lineAt(line.position),
      reason: "a line isn't valid UTF-8",
      text: line.bytes.toString("utf8"),
    });
  }
  if (objects.length > 0) yield run(objects);
}
