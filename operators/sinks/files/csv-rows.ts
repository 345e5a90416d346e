import { QStreamError } from "../../../lib/core/errors.ts";
import { isCollection } from "./collection.ts";
import { jsonText } from "./json-text.ts";

export interface CsvFormat {
  readonly columns: readonly string[] | undefined;
  readonly separator: string;
  readonly header: boolean;
  readonly formulas: "keep" | "escape" | "refuse";
  readonly missing: string;
}

/** One file's text. */
export interface CsvRows {
  /** The text of the next rows; the header comes with the first. */
  readonly textOf: (objects: readonly unknown[]) => string;
  /** The file's columns, once a row has come. */
  readonly columns: () => readonly string[] | undefined;
}

/**
 * Makes one file's text of its rows, run by run.
 *
 * @param begun - the columns of a file that has rows already, to go on with it
 */
export function csvRows(format: CsvFormat, begun?: readonly string[]): CsvRows {
  const { separator } = format;
  if (separator.length !== 1 || '"\r\n'.includes(separator)) {
    throw new QStreamError("OPTION_INVALID", `csv: ${JSON.stringify(separator)} can't separate values`, {
      advice: "Use one character other than a quote or a line break.",
    });
  }
  if (format.columns?.length === 0) throw new QStreamError("OPTION_INVALID", "csv: columns is empty");
  const field = fieldFunction(format);
  let columns = begun;
  let known = new Set<string>(begun);
  const textOf = (objects: readonly unknown[]): string => {
    let text = "";
    for (const object of objects) {
      const row = rowOf(object);
      if (columns === undefined) {
        columns = format.columns ?? Object.keys(row);
        known = new Set(columns);
        if (format.header) text += `${columns.map((name) => field(name, name)).join(separator)}\n`;
      }
      if (format.columns === undefined) refuseUnknown(row, known);
      for (const [index, name] of columns.entries()) text += `${index === 0 ? "" : separator}${field(row[name], name)}`;
      text += "\n";
    }
    return text;
  };
  return { textOf, columns: () => columns };
}

function rowOf(object: unknown): Readonly<Record<string, unknown>> {
  if (typeof object === "object" && object !== null && !Array.isArray(object) && !isCollection(object)) {
    return object as Record<string, unknown>;
  }
  const what = isCollection(object)
    ? `a ${object.constructor.name}`
    : Array.isArray(object)
      ? "an array"
      : String(object);
  throw new QStreamError("BAD_INPUT", `csv: ${what} has no columns`, {
    advice: "Map the stream to plain objects first: { value: object }.",
  });
}

function refuseUnknown(row: object, known: ReadonlySet<string>): void {
  for (const name in row) {
    if (known.has(name)) continue;
    throw new QStreamError("BAD_INPUT", "csv: an object has a column that the first one of the file doesn't have", {
      column: name,
      advice: "Set the option columns to all that may come.",
    });
  }
}

function fieldFunction({ separator, formulas, missing }: CsvFormat): (value: unknown, column: string) => string {
  const quoted = (text: string): string => (needsQuotes(text, separator) ? `"${text.replaceAll('"', '""')}"` : text);
  const ofText = (text: string, column: string): string => {
    if (formulas === "keep" || !/^[=+\-@\t\r]/u.test(text)) return text === missing ? `"${text}"` : quoted(text);
    if (formulas === "escape") return quoted(`'${text}`);
    throw new QStreamError(
      "BAD_INPUT",
      `csv: ${JSON.stringify(text.slice(0, 40))} would be a formula in a spreadsheet`,
      {
        column,
        advice: 'Set formulas to "escape" or "keep".',
      },
    );
  };
  return (value, column) => {
    switch (typeof value) {
      case "string":
        return ofText(value, column);
      case "number":
      case "bigint":
      case "boolean":
        return quoted(String(value));
      case "undefined":
        return missing;
      case "object":
        if (value === null) return missing;
        return value instanceof Date ? quoted(dateText(value, column)) : ofText(jsonText(value, column), column);
      default:
        throw new QStreamError("BAD_INPUT", `csv: a ${typeof value} can't be written`, {
          column,
          advice: "Map it to text first.",
        });
    }
  };
}

/** Text is quoted where a reader would take it apart, or trim it. */
function needsQuotes(text: string, separator: string): boolean {
  if (text.length === 0) return false;
  const blankEnds = text.charCodeAt(0) <= 32 || text.charCodeAt(text.length - 1) <= 32;
  return blankEnds || text.includes('"') || text.includes(separator) || text.includes("\n") || text.includes("\r");
}

function dateText(date: Date, column: string): string {
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new QStreamError("BAD_INPUT", "csv: a date is invalid", {
    column,
    advice: "Map it to null or to a valid date first.",
  });
}
