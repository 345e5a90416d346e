/** What the scanner found wrong, or where an element ends. */
export type ScannerEvent =
  | { readonly kind: "element"; readonly from: number; readonly to: number }
  | { readonly kind: "broken"; readonly at: number; readonly reason: string };

const phases = { start: 0, element: 1, after: 2 } as const;
type Phase = (typeof phases)[keyof typeof phases];

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
  #phase: Phase = phases.start;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Elements begun so far: a comma must be followed by one more. */
  #elements = 0;
  #elementStart = -1;
  #elementEnd = -1;

  /** Where the element begins that isn't complete yet, as a position in the file; -1: none has begun. */
  get open(): number {
    return this.#elementStart;
  }

  /** True once the array is closed. */
  get complete(): boolean {
    return this.#phase === phases.after;
  }

  /** Scans a block whose first byte is at `position` of the file. Positions of events are those of the file. */
  *scan(block: Uint8Array, position: number): Generator<ScannerEvent, void> {
    for (let index = 0; index < block.byteLength; index++) {
      const byte = block[index];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) {
          this.#inString = false;
          this.#elementEnd = position + index + 1;
        }
        continue;
      }
      if (isBlank(byte)) continue;
      if (this.#phase === phases.element) {
        const event = this.#inArray(byte, position + index);
        if (event === undefined) continue;
        yield event;
        if (event.kind === "broken") return;
      } else if (this.#phase === phases.start && byte === arrayOpen) this.#phase = phases.element;
      else {
        const reason = this.#phase === phases.start ? "the file is no JSON array" : "something follows the JSON array";
        yield { kind: "broken", at: position + index, reason };
        return;
      }
    }
  }

  #inArray(byte: number | undefined, at: number): ScannerEvent | undefined {
    if (this.#depth === 0 && (byte === comma || byte === arrayClose)) {
      if (byte === arrayClose) this.#phase = phases.after;
      if (this.#elementStart === -1) {
        if (byte === arrayClose && this.#elements === 0) return undefined;
        return { kind: "broken", at, reason: "an element of the JSON array is missing" };
      }
      const from = this.#elementStart;
      this.#elementStart = -1;
      return { kind: "element", from, to: this.#elementEnd };
    }
    if (this.#elementStart === -1) {
      this.#elementStart = at;
      this.#elements += 1;
    }
    this.#elementEnd = at + 1;
    if (byte === quote) this.#inString = true;
    else if (byte === arrayOpen || byte === objectOpen) this.#depth += 1;
    else if (byte === arrayClose || byte === objectClose) {
      if (this.#depth === 0) return { kind: "broken", at, reason: "a bracket is closed that wasn't opened" };
      this.#depth -= 1;
    }
    return undefined;
  }
}
