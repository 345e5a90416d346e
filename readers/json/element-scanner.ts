/** Where an element begins and ends, as positions in the file. */
export interface ElementRange {
  readonly from: number;
  readonly to: number;
}

/** What is wrong with the array itself, and where. */
export interface BrokenArray {
  readonly at: number;
  readonly reason: string;
}

const quote = 34;
const comma = 44;
const backslash = 92;
const arrayOpen = 91;
const arrayClose = 93;
const objectOpen = 123;
const objectClose = 125;

const isBlank = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/**
 * Finds the elements of a top-level JSON array in bytes that come block by block. Only brackets, commas and strings are
 * looked at: what stands in an element is for the JSON parser.
 */
export class ElementScanner {
  #phase: "start" | "array" | "after" = "start";
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Elements begun so far: a comma must be followed by one more. */
  #elements = 0;
  #elementStart = -1;
  #elementEnd = -1;
  #found: ElementRange[] = [];
  /** Set when the array is broken: nothing is scanned any more. */
  broken: BrokenArray | undefined;

  /** Where the element begins that isn't complete yet, as a position in the file; -1: none has begun. */
  get open(): number {
    return this.#elementStart;
  }

  /** True once the array is closed. */
  get complete(): boolean {
    return this.#phase === "after";
  }

  /** Scans a block whose first byte is at `position` of the file; gives the elements that end in it. */
  scan(block: Uint8Array, position: number): readonly ElementRange[] {
    this.#found = [];
    const { length } = block;
    let index = 0;
    while (index < length && this.broken === undefined) {
      if (this.#inString || this.#depth > 0) index = this.#skipNested(block, index, position);
      else {
        const byte = block[index];
        if (!isBlank(byte)) this.#topLevel(byte, position + index);
        index += 1;
      }
    }
    return this.#found;
  }

  /** Goes over strings and what is nested, where most bytes are; returns the index behind it, or the block's length. */
  #skipNested(block: Uint8Array, from: number, position: number): number {
    const { length } = block;
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let index = from;
    do {
      const byte = block[index++];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) inString = true;
      else if (byte === arrayOpen || byte === objectOpen) depth += 1;
      else if (byte === arrayClose || byte === objectClose) depth -= 1;
    } while (index < length && (inString || depth > 0));
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    this.#elementEnd = position + index;
    return index;
  }

  /** Takes a byte that isn't nested, nor in a string, nor blank. */
  #topLevel(byte: number | undefined, at: number): void {
    if (this.#phase !== "array") {
      if (this.#phase === "start" && byte === arrayOpen) this.#phase = "array";
      else {
        const reason = this.#phase === "start" ? "the file is no JSON array" : "something follows the JSON array";
        this.broken = { at, reason };
      }
    } else if (byte === comma || byte === arrayClose) this.#endElement(byte, at);
    else if (byte === objectClose) this.broken = { at, reason: "a bracket is closed that wasn't opened" };
    else {
      if (this.#elementStart === -1) {
        this.#elementStart = at;
        this.#elements += 1;
      }
      this.#elementEnd = at + 1;
      if (byte === quote) this.#inString = true;
      else if (byte === arrayOpen || byte === objectOpen) this.#depth = 1;
    }
  }

  #endElement(byte: number, at: number): void {
    if (byte === arrayClose) this.#phase = "after";
    if (this.#elementStart !== -1) {
      this.#found.push({ from: this.#elementStart, to: this.#elementEnd });
      this.#elementStart = -1;
    } else if (byte === comma || this.#elements > 0) {
      this.broken = { at, reason: "an element of the JSON array is missing" };
    }
  }
}
