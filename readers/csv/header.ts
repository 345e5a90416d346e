import { QStreamError } from "../../lib/core/errors.ts";
import type { LineBlock } from "../text/line-blocks.ts";
import type { RecordParser } from "./record-parser.ts";

/** Column names from a file's first block; the parser then stands behind the header. */
export function headerNames(block: LineBlock, parser: RecordParser, file: string): string[] {
  // Whether the rest of the block is UTF-8 is looked at with its rows.
  parser.take(block.bytes.toString("utf8"));
  parser.next();
  const names = parser.fields.slice(0, parser.count);
  const problem =
    parser.problem ?? (names.some((name) => name.includes("\uFFFD")) ? "it isn't valid UTF-8" : undefined);
  if (problem === undefined) return names;
  throw new QStreamError("BAD_INPUT", `the header can't be read: ${problem}`, {
    file,
    line: 1,
    advice: "Correct the file, or say how it is written: separator, quote, header.",
  });
}
