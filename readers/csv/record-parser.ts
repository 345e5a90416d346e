import type { Dialect } from "./dialect.ts";

const newline = 10;
const carriageReturn = 13;

/** Takes the records of a text apart, one by one, into `fields`, which is used again for each record. */
export class RecordParser {
  readonly fields: string[] = [];
  /** Whether each field was quoted: an empty quoted field is an empty text, not a missing value. */
  readonly quoted: boolean[] = [];
  /** Number of fields of the current record. */
  count = 0;
  /** Where the current record starts, and where the next one does. */
  start = 0;
  end = 0;
  /** What is wrong with the current record's quotes. */
  problem: string | undefined;

  readonly #separator: number;
  readonly #quote: number;
  readonly #quoteText: string;
  readonly #quotedNewlines: boolean;
  #text = "";

  constructor(dialect: Dialect) {
    this.#separator = dialect.separator;
    this.#quote = dialect.quote;
    this.#quotedNewlines = dialect.quotedNewlines;
    this.#quoteText = dialect.quote === -1 ? "" : String.fromCharCode(dialect.quote);
  }

  /** Sets the text of which `next` reads the records. */
  take(text: string): void {
    this.#text = text;
    this.start = this.end = this.count = 0;
  }

  /** The current record as it stands in the text. */
  recordText(): string {
    return this.#text.slice(this.start, this.end).replace(/\r?\n$/u, "");
  }

  /** Reads the next record; false at the end of the text. */
  next(): boolean {
    const text = this.#text;
    if (this.end >= text.length) return false;
    const separator = this.#separator;
    const quote = this.#quote;
    let at = this.end;
    this.start = at;
    this.count = 0;
    this.problem = undefined;
    for (;;) {
      if (quote !== -1 && text.charCodeAt(at) === quote) at = this.#quotedField(at + 1);
      else {
        const from = at;
        while (at < text.length) {
          const code = text.charCodeAt(at);
          if (code === separator || code === newline) break;
          at += 1;
        }
        const isLast = at >= text.length || text.charCodeAt(at) === newline;
        const to = isLast && at > from && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
        this.fields[this.count] = text.slice(from, to);
        this.quoted[this.count++] = false;
      }
      if (at >= text.length || text.charCodeAt(at) === newline) break;
      at += 1;
    }
    this.end = Math.min(text.length, at + 1);
    return true;
  }

  /** Reads a quoted field from behind its opening quote on; returns where its separator or line end stands. */
  #quotedField(from: number): number {
    const text = this.#text;
    const lineEndAt = this.#quotedNewlines ? -1 : text.indexOf("\n", from);
    const limit = lineEndAt === -1 ? text.length : lineEndAt;
    let value = "";
    let at = from;
    for (;;) {
      const close = text.indexOf(this.#quoteText, at);
      if (close === -1 || close > limit) {
        this.problem ??= "a quoted field isn't closed";
        this.#push(value + text.slice(at, limit));
        return limit;
      }
      value += text.slice(at, close);
      at = close + 1;
      if (text.charCodeAt(at) !== this.#quote) break;
      value += this.#quoteText;
      at += 1;
    }
    const tail = at;
    while (at < text.length && text.charCodeAt(at) !== this.#separator && text.charCodeAt(at) !== newline) at += 1;
    const lineEnd =
      at === tail + 1 && text.charCodeAt(tail) === carriageReturn && text.charCodeAt(at) !== this.#separator;
    if (at > tail && !lineEnd) this.problem ??= "text follows the closing quote of a field";
    this.#push(value);
    return at;
  }

  #push(value: string): void {
    this.fields[this.count] = value;
    this.quoted[this.count++] = true;
  }
}
