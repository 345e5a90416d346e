import type { Dialect } from "./dialect.ts";

const newline = 10;

/**
 * Finds where records end in the bytes of a CSV file: at line ends outside of quotes. It is fed block after block, from the
 * start of a record on. A quote opens where a field begins; anywhere else outside of quotes it is text, as for the parser.
 */
export class RecordScanner {
  readonly #separator: number;
  readonly #quote: number;
  #inQuotes = false;
  /** The byte before this one closed a quoted part: a quote that follows at once is a doubled one. */
  #closed = false;
  #fieldStart = true;
  /** Index behind the first record end of the last block that isn't below what was asked for; -1: none. */
  first = -1;
  /** Index behind the last record end of the last block; -1: none. */
  last = -1;

  constructor(dialect: Dialect) {
    this.#separator = dialect.separator;
    this.#quote = dialect.quote;
  }

  feed(block: Buffer, indexMin = 0): void {
    this.first = this.last = -1;
    if (block.byteLength === 0) return;
    if (this.#quote === -1 || !block.includes(this.#quote)) this.#feedUnquoted(block, indexMin);
    else this.#feedQuoted(block, indexMin);
  }

  /** A block without quotes, by the fast search for single bytes. */
  #feedUnquoted(block: Buffer, indexMin: number): void {
    if (this.#inQuotes) return;
    this.last = block.lastIndexOf(newline) + 1 || -1;
    this.first = block.indexOf(newline, Math.max(0, indexMin - 1)) + 1 || -1;
    const end = block[block.byteLength - 1];
    this.#fieldStart = end === newline || end === this.#separator;
    this.#closed = false;
  }

  #feedQuoted(block: Buffer, indexMin: number): void {
    const separator = this.#separator;
    const quote = this.#quote;
    let inQuotes = this.#inQuotes;
    let closed = this.#closed;
    let fieldStart = this.#fieldStart;
    let { first, last } = this;
    const { length } = block;
    for (let at = 0; at < length; at++) {
      const byte = block[at];
      if (inQuotes) {
        if (byte === quote) {
          inQuotes = false;
          closed = true;
          fieldStart = false;
        }
        continue;
      }
      if (byte === quote) inQuotes = closed || fieldStart;
      else if (byte === newline) {
        last = at + 1;
        if (first === -1 && last >= indexMin) first = last;
      }
      closed = false;
      fieldStart = byte === separator || byte === newline;
    }
    this.#inQuotes = inQuotes;
    this.#closed = closed;
    this.#fieldStart = fieldStart;
    this.first = first;
    this.last = last;
  }
}
