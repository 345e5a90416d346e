// Text of users on its way into pictures, pages and terminals: made harmless, measured and shortened.

/** Widths in pixels of one column of the monospaced type, in its two sizes; a little more than any of its faces has. */
export const columnWidth = 6.7;
export const titleColumnWidth = 9.2;

// Rows of one line among several.
const wrappedMax = 6;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

// What a terminal or an XML reader would obey or refuse: control characters, halves of surrogate pairs, marks that turn the
// direction of writing, and code points that are no characters.
const unprintable =
  /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|\p{Surrogate}|\p{Noncharacter_Code_Point}/gu;

// Characters that take two columns in monospaced type: of East Asia, and emoji.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u{20000}-\u{3fffd}]/u;

/** Text on one line: white space as one blank, and what can't be printed as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return visible(text.replace(/\s*[\t\n\v\f\r]\s*/gu, " ")).trim();
}

/** The same of a text that has several lines: each as it is, with the blanks before and within it, as tables have them. */
export function printableLines(text: string): string[] {
  const lines = text.trimEnd().split(/\r\n|[\n\v\f\r]/u);
  if (lines.length === 1) return [printable(text)];
  return lines.map((line) => visible(line.replaceAll("\t", "  ")).trimEnd());
}

function visible(text: string): string {
  return text.replace(unprintable, (found) => {
    const code = found.codePointAt(0) ?? 0;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Columns that a printable text takes in monospaced type. */
export function columnsOf(text: string): number {
  if (/^[\u0020-\u007e]*$/u.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += graphemeColumns(segment);
  return columns;
}

/** The beginning of a printable text, with an ellipsis, so that it takes no more than so many columns. */
export function shorten(text: string, columnsMax: number): string {
  if (columnsOf(text) <= columnsMax) return text;
  if (columnsMax < 1) return "";
  let columns = 1;
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    columns += graphemeColumns(segment);
    if (columns > columnsMax) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** A printable text in rows of at most so many columns, cut between words where that can be; the last is shortened. */
export function wrap(text: string, columnsMax: number, rowsMax: number): string[] {
  const rows: string[] = [];
  let row = "";
  const words = text.split(" ").flatMap((word) => cutWord(word, columnsMax));
  for (const [index, word] of words.entries()) {
    const longer = row === "" ? word : `${row} ${word}`;
    if (columnsOf(longer) <= columnsMax) {
      row = longer;
      continue;
    }
    if (rows.length === rowsMax - 1) return [...rows, shorten([row, ...words.slice(index)].join(" "), columnsMax)];
    rows.push(row);
    row = word;
  }
  return row === "" ? rows : [...rows, row];
}

/** Printable lines in rows of at most so many columns: those that are longer are wrapped below where they begin. */
export function wrapLines(lines: readonly string[], columnsMax: number, rowsMax: number): string[] {
  const rows: string[] = [];
  for (const [index, line] of lines.entries()) {
    const words = line.trimStart();
    const indent = " ".repeat(Math.min(line.length - words.length, Math.floor(columnsMax / 2)));
    const room = columnsMax - indent.length;
    const own = columnsOf(line) <= columnsMax ? [line] : wrap(words, room, wrappedMax).map((row) => indent + row);
    const rest = lines.length - index;
    if (rows.length + own.length > rowsMax - (rest > 1 ? 1 : 0)) return [...rows, `… ${counted(rest, "more line")}`];
    rows.push(...own);
  }
  return rows;
}

/** Text of users as text or as a quoted attribute of XML and HTML. */
export function escapeXml(text: string): string {
  return escapeLine(printable(text));
}

/** The same of what is printable, with its blanks. */
export function escapeLine(line: string): string {
  return line
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Data as JSON that can't end the script element that it is in, nor begin a comment. */
export function embeddedJson(data: unknown): string {
  return JSON.stringify(data).replace(/[<>&\u2028\u2029]|\p{Surrogate}/gu, (found) => {
    return `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}

/** Virtual milliseconds as people read them: `1,204.5`. */
export function formatMs(ms: number): string {
  const rounded = Math.round(ms * 1000) / 1000;
  return Object.is(rounded, -0) ? "0" : rounded.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

/** `1 step`, `1,000 steps`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

function graphemeColumns(grapheme: string): number {
  if (wide.test(grapheme)) return 2;
  return /^\p{Mark}+$/u.test(grapheme) ? 0 : 1;
}

function cutWord(word: string, columnsMax: number): string[] {
  if (columnsOf(word) <= columnsMax) return [word];
  const parts: string[] = [];
  let part = "";
  for (const { segment } of graphemes.segment(word)) {
    if (part !== "" && columnsOf(part + segment) > columnsMax) {
      parts.push(part);
      part = "";
    }
    part += segment;
  }
  return [...parts, part];
}
