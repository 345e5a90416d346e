import type { Context } from "../../lib/core/contracts/context.ts";
import { Side } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** A piece of a file that couldn't be read as it should, on the side output `bad`. */
export interface BadRow {
  readonly file: string;
  /** 1-based line of the file where it starts. */
  readonly line: number;
  readonly column?: string;
  readonly reason: string;
  /** The text as it stands in the file; bytes that are no UTF-8 are shown as U+FFFD. */
  readonly text: string;
}

/** What a reader does with a bad row: the execution fails, or the row goes to the side output `bad` and is counted. */
export type BadRows = "fail" | "side";

const textShown = 200;

/** Reports bad rows as the user chose: throws BAD_INPUT, or counts the row as `badRows` and gives it back for the side output. */
export function reportBadRow(mode: BadRows, ctx: Context, row: BadRow): Side<BadRow> {
  if (mode === "side") {
    ctx.count("badRows");
    return new Side("bad", row);
  }
  const shown = row.text.length > textShown ? `${row.text.slice(0, textShown)}...` : row.text;
  throw new QStreamError("BAD_INPUT", `${row.reason}: ${JSON.stringify(shown)}`, {
    file: row.file,
    line: row.line,
    ...(row.column === undefined ? {} : { column: row.column }),
    advice: `Correct the file, or let the reader send such rows to its side output "bad".`,
  });
}
