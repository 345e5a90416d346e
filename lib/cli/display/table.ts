import { inspect } from "node:util";

const cellWidthMax = 40;
const columnsMax = 20;

/** How many rows are shown, and how many there are where only some are given. */
export interface TableTextOptions {
  /** How many are shown: 20 unless told; the rest is counted. */
  readonly rowsMax?: number;
  /** How many rows there are in all, if `rows` is their beginning. */
  readonly rowsAll?: number;
  /** Characters of a cell, and of a column's name, that are shown: 40 unless told; Infinity cuts nothing. */
  readonly widthMax?: number;
}

/** For names, ids and places that somebody may want to copy. */
export const wholeTable: TableTextOptions = { rowsMax: 1000, widthMax: Number.POSITIVE_INFINITY };

/**
 * Writes rows as a table of text, columns by the properties that rows have.
 *
 * @param rows - plain objects, or single values
 * @param options - `rowsMax`: how many are shown (20 unless told); the rest is counted
 * @example
 * console.log(formatTable([{ word: "whale", count: 1150 }]));
 */
export function formatTable(rows: readonly unknown[], options: TableTextOptions = {}): string {
  const { widthMax = cellWidthMax } = options;
  const shown = rows.slice(0, options.rowsMax ?? 20).map(asRow);
  const all = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  if (all.length === 0) return rows.length === 0 ? "(no rows)\n" : `(${count(rows.length)} rows without columns)\n`;
  const names = all.slice(0, columnsMax);
  const cells = shown.map((row) => names.map((name) => shorten(cellOf(row[name], widthMax), widthMax)));
  const heads = names.map((name) => shorten(name, widthMax));
  const widths = heads.map((head, column) =>
    Math.max(widthOf(head), ...cells.map((line) => widthOf(line[column] ?? ""))),
  );
  const toRight = names.map((name) => shown.every((row) => isNumberOrMissing(row[name])));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => {
        const space = " ".repeat((widths[column] ?? 0) - widthOf(text));
        return toRight[column] === true ? space + text : text + space;
      })
      .join("  ")
      .trimEnd();
  const lines = [line(heads), widths.map((width) => "-".repeat(width)).join("  "), ...cells.map(line)];
  const rest = (options.rowsAll ?? rows.length) - shown.length;
  if (rest > 0) lines.push(`... and ${count(rest)} more`);
  if (all.length > names.length) lines.push(`... and ${count(all.length - names.length)} more columns`);
  return `${lines.join("\n")}\n`;
}

/** An object's properties are columns; anything else, collections too, is one value. */
function asRow(row: unknown): Readonly<Record<string, unknown>> {
  const single =
    typeof row !== "object" || row === null || Symbol.iterator in row || row instanceof Date || row instanceof Error;
  return single || Object.keys(row).length === 0 ? { value: row } : (row as Record<string, unknown>);
}

/** How a cell is written: numbers with separators, nothing for what is missing. */
function cellOf(value: unknown, widthMax: number): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number")
    return value.toLocaleString("en-US", { maximumFractionDigits: Number.isInteger(value) ? 0 : 3 });
  if (typeof value === "bigint") return value.toLocaleString("en-US");
  if (typeof value === "string") return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  return inspect(value, {
    depth: 2,
    breakLength: Number.POSITIVE_INFINITY,
    compact: true,
    maxArrayLength: 10,
    maxStringLength: widthMax,
  });
}

function isNumberOrMissing(value: unknown): boolean {
  return value === null || ["number", "bigint", "undefined"].includes(typeof value);
}

/** One line without control characters, which a terminal would obey. */
export function shorten(text: string, widthMax: number): string {
  const single = text
    .slice(0, 4 * widthMax)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{Cc}/gu, "�");
  const characters = Array.from(single);
  return characters.length > widthMax ? `${characters.slice(0, widthMax - 1).join("")}…` : single;
}

/** Columns of a terminal, about: a character each, wide ones (East Asian, emoji) two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

function count(rows: number): string {
  return rows.toLocaleString("en-US");
}
