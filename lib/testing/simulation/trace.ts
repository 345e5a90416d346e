/** What happened in a simulated world: who, what, and when in virtual milliseconds. */
export interface TraceLine {
  readonly ms: number;
  readonly who: string;
  readonly what: string;
}

const linesDefault = 20_000;
const whoWidth = 20;

/** The latest lines of what happened, and a checksum over all of them: two runs of one seed have the same. */
export class Trace {
  readonly #linesMax: number;
  readonly #ring: TraceLine[] = [];
  #count = 0;
  #hash = 0x811c9dc5;

  /** @param linesMax - lines that are kept: older ones go */
  constructor(linesMax = linesDefault) {
    this.#linesMax = linesMax;
  }

  /** Lines so far, also those that were not kept. */
  get count(): number {
    return this.#count;
  }

  /** Checksum over all lines so far. */
  get digest(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  add(ms: number, who: string, what: string): void {
    this.#mix(Math.round(ms * 1000));
    this.#mixText(who);
    this.#mixText(what);
    const line = { ms, who, what };
    if (this.#ring.length < this.#linesMax) this.#ring.push(line);
    else if (this.#linesMax > 0) this.#ring[this.#count % this.#linesMax] = line;
    this.#count++;
  }

  /** The lines that are kept, oldest first. */
  lines(): readonly TraceLine[] {
    const start = this.#count > this.#linesMax && this.#linesMax > 0 ? this.#count % this.#linesMax : 0;
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
  }

  /** The lines as text, one a line, behind what was not kept. */
  toString(): string {
    const lines = this.lines().map(
      ({ ms, who, what }) => `${ms.toFixed(3).padStart(12)} ms  ${who.padEnd(whoWidth)}  ${what}`,
    );
    const gone = this.#count - lines.length;
    return [...(gone > 0 ? [`(${gone} earlier lines aren't kept)`] : []), ...lines].join("\n");
  }

  #mix(number: number): void {
    this.#hash = Math.imul(this.#hash ^ number, 0x01000193);
  }

  #mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
  }
}
