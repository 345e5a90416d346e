import { QStreamError } from "../../lib/core/errors.ts";

/** A sum as plain data. */
export interface SumState {
  /** Sum of the bigints; undefined without any. */
  readonly bigints: bigint | undefined;
  /** Sum of whole numbers, below 2^53. */
  readonly integers: number;
  /** Floats whose sum, without rounding, is that of all others. */
  readonly parts: readonly number[];
  /** The same of numbers near the largest, each times 2^-128. */
  readonly largeParts: readonly number[];
  /** Sum of infinities and NaN. */
  readonly special: number;
}

/** Numbers from here on could overflow while they are added to others. */
const largeFrom = 2 ** 900;
const scale = 2 ** -128;

/**
 * A sum of numbers or bigints that doesn't depend on their order: whole numbers are added as such, fractions by Shewchuk's
 * algorithm, which loses nothing, and the result is rounded once.
 */
export class ExactSum {
  #bigints: bigint | undefined;
  #integers = 0;
  #parts: number[] = [];
  #largeParts: number[] = [];
  #special = 0;

  add(value: number | bigint): void {
    if (typeof value === "bigint") {
      this.#bigints = (this.#bigints ?? 0n) + value;
      return;
    }
    if (Number.isInteger(value)) {
      const total = this.#integers + value;
      if (Number.isSafeInteger(total) && Number.isSafeInteger(value)) {
        this.#integers = total;
        return;
      }
    }
    this.#addFloat(value);
  }

  merge({ bigints, integers, parts, largeParts, special }: SumState): void {
    if (bigints !== undefined) this.add(bigints);
    this.add(integers);
    for (const part of parts) this.#addFloat(part);
    for (const part of largeParts) addPart(this.#largeParts, part);
    this.#special += special;
  }

  state(): SumState {
    return {
      bigints: this.#bigints,
      integers: this.#integers,
      parts: [...this.#parts],
      largeParts: [...this.#largeParts],
      special: this.#special,
    };
  }

  /** The sum: a bigint where there were bigints, else a number. @throws QStreamError BAD_INPUT for bigints with fractions */
  result(column: string): number | bigint {
    if (this.#bigints === undefined) return this.#numbers();
    const whole = this.#parts.length === 0 && this.#largeParts.length === 0 && this.#special === 0;
    if (whole) return this.#bigints + BigInt(this.#integers);
    throw new QStreamError("BAD_INPUT", "a column has bigints and numbers that have no exact sum with them", {
      column,
      advice: "Make all its values numbers, or all bigints.",
    });
  }

  /** The sum as a number, for means. */
  number(): number {
    const numbers = this.#numbers();
    return this.#bigints === undefined ? numbers : Number(this.#bigints) + numbers;
  }

  #addFloat(value: number): void {
    if (!Number.isFinite(value)) this.#special += value;
    else if (Math.abs(value) >= largeFrom) addPart(this.#largeParts, value * scale);
    else addPart(this.#parts, value);
  }

  #numbers(): number {
    if (this.#special !== 0) return this.#special;
    const parts = [...this.#parts];
    addPart(parts, this.#integers);
    if (this.#largeParts.length === 0) return rounded(parts);
    const large = rounded(this.#largeParts);
    // At the end of the range of numbers, where the small parts are less than the last bit.
    if (Math.abs(large) >= 2 ** 895) return large / scale;
    for (const part of this.#largeParts) addPart(parts, part / scale);
    return rounded(parts);
  }
}

/** Adds a float to parts that don't overlap, in the order of their size, without losing a bit. */
function addPart(parts: number[], value: number): void {
  let rest = value;
  let kept = 0;
  for (let index = 0; index < parts.length; index += 1) {
    let part = parts[index] as number;
    if (Math.abs(rest) < Math.abs(part)) [rest, part] = [part, rest];
    const high = rest + part;
    const low = part - (high - rest);
    if (low !== 0) {
      parts[kept] = low;
      kept += 1;
    }
    rest = high;
  }
  parts.length = kept;
  if (rest !== 0) parts.push(rest);
}

/** The number nearest to the sum of parts that don't overlap; the even one of two that are as near. */
function rounded(parts: readonly number[]): number {
  let index = parts.length - 1;
  let high = parts[index] ?? 0;
  let low = 0;
  while (index > 0) {
    index -= 1;
    const before = high;
    const part = parts[index] as number;
    high = before + part;
    low = part - (high - before);
    if (low !== 0) break;
  }
  // Halfway between two numbers: what is left below decides.
  const next = parts[index - 1];
  if (index > 0 && next !== undefined && ((low < 0 && next < 0) || (low > 0 && next > 0))) {
    const doubled = low * 2;
    const moved = high + doubled;
    if (doubled === moved - high) return moved;
  }
  return high;
}
