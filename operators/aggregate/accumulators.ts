import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { mapKey, type MapKey } from "../../lib/core/key.ts";
import { structuralKey } from "../distinct/structural-key.ts";
import { comparableKey, compareKeys } from "../order.ts";
import { ExactSum, type SumState } from "./exact-sum.ts";
import type { Aggregate } from "./functions.ts";

/** One aggregate of one group of objects, while it grows. */
export interface Accumulator {
  /** Takes an object's value; never a missing one, but for `count()`. */
  add: (value: unknown) => void;
  /** Takes what `state` gave of another part of the group. */
  merge: (state: never) => void;
  /** All that was taken, as plain data. */
  state: () => unknown;
  result: () => unknown;
}

/** Makes the accumulator of an aggregate. */
export function accumulatorOf({ kind, column = "" }: Aggregate): Accumulator {
  switch (kind) {
    case "count":
      return new Count();
    case "sum":
      return new Sum(column);
    case "mean":
      return new Mean(column);
    case "min":
      return new Extreme(-1);
    case "max":
      return new Extreme(1);
    case "first":
      return new First();
    case "count-distinct":
      return new CountDistinct();
    default:
      throw new QStreamError("OPTION_INVALID", `"${String(kind)}" is no aggregate`, {
        advice: "Make aggregates by count(), sum(), mean(), min(), max(), first() and countDistinct().",
      });
  }
}

class Count implements Accumulator {
  #count = 0;

  add(): void {
    this.#count += 1;
  }

  merge(count: number): void {
    this.#count += count;
  }

  state(): number {
    return this.#count;
  }

  result(): number {
    return this.#count;
  }
}

function numeric(value: unknown, column: string, what: string): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw new QStreamError(
    "BAD_INPUT",
    `the ${what} of a column needs numbers, and an object has a ${typeof value} there`,
    {
      column,
      advice: "Map the objects first.",
    },
  );
}

class Sum implements Accumulator {
  readonly #column: string;
  readonly #sum = new ExactSum();

  constructor(column: string) {
    this.#column = column;
  }

  add(value: unknown): void {
    this.#sum.add(numeric(value, this.#column, "sum"));
  }

  merge(state: SumState): void {
    this.#sum.merge(state);
  }

  state(): SumState {
    return this.#sum.state();
  }

  result(): number | bigint {
    return this.#sum.result(this.#column);
  }
}

class Mean implements Accumulator {
  readonly #column: string;
  readonly #sum = new ExactSum();
  #count = 0;

  constructor(column: string) {
    this.#column = column;
  }

  add(value: unknown): void {
    this.#sum.add(numeric(value, this.#column, "mean"));
    this.#count += 1;
  }

  merge({ sum, count }: { sum: SumState; count: number }): void {
    this.#sum.merge(sum);
    this.#count += count;
  }

  state(): { sum: SumState; count: number } {
    return { sum: this.#sum.state(), count: this.#count };
  }

  result(): number | null {
    return this.#count === 0 ? null : this.#sum.number() / this.#count;
  }
}

class Extreme implements Accumulator {
  readonly #sign: number;
  #value: unknown = null;
  #key: Key = null;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  add(value: unknown): void {
    const key = comparableKey(value as Key);
    if (this.#value === null || Number.isNaN(this.#key) || this.#isBetter(key)) {
      // Of nothing but NaN the result is NaN, which anything else replaces.
      if (this.#value !== null && Number.isNaN(key)) return;
      this.#value = value;
      this.#key = key;
    }
  }

  merge(value: unknown): void {
    if (value !== null) this.add(value);
  }

  state(): unknown {
    return this.#value;
  }

  result(): unknown {
    return this.#value;
  }

  #isBetter(key: Key): boolean {
    return !Number.isNaN(key) && this.#sign * compareKeys(key, this.#key) > 0;
  }
}

class First implements Accumulator {
  #value: unknown = null;

  add(value: unknown): void {
    this.#value ??= value;
  }

  merge(value: unknown): void {
    this.#value ??= value;
  }

  state(): unknown {
    return this.#value;
  }

  result(): unknown {
    return this.#value;
  }
}

class CountDistinct implements Accumulator {
  readonly #seen = new Set<MapKey>();

  add(value: unknown): void {
    this.#seen.add(mapKey(structuralKey(value)));
  }

  merge(keys: readonly MapKey[]): void {
    for (const key of keys) this.#seen.add(key);
  }

  state(): readonly MapKey[] {
    return [...this.#seen];
  }

  result(): number {
    return this.#seen.size;
  }
}
