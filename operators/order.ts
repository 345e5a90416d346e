import type { ColumnsIn } from "../lib/core/batch-types.ts";
import type { Key } from "../lib/core/contracts/partition.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { keyFunction } from "../lib/core/key.ts";

/** Which way a stream is sorted. What is missing (null, undefined) comes last both ways. */
export type Direction = "ascending" | "descending";

/** What is sorted by: a property or column by name, or a function of the object; with its own direction if need be. */
export type SortKey<T> =
  | ((object: T) => Key)
  | ColumnsIn<T>
  | { readonly by: ((object: T) => Key) | ColumnsIn<T>; readonly order?: Direction };

/** One sort key taken apart. */
export interface OrderTerm<T> {
  readonly keyOf: (object: T) => Key;
  /** The column, or undefined for a function, which can't read the rows of a columnar batch. */
  readonly column: string | undefined;
  readonly descending: boolean;
}

/** Takes sort keys apart. @throws QStreamError OPTION_INVALID without keys, or for an unknown direction */
export function orderTerms<T>(by: SortKey<T> | readonly SortKey<T>[], order: Direction): readonly OrderTerm<T>[] {
  const keys: readonly SortKey<T>[] = Array.isArray(by) ? (by as readonly SortKey<T>[]) : [by as SortKey<T>];
  if (keys.length === 0) {
    throw new QStreamError("OPTION_INVALID", "there is nothing to sort by", {
      advice: "Name a property or column, or several, or give a function.",
    });
  }
  return keys.map((key) => {
    const named = typeof key === "object" ? key : { by: key };
    const direction = named.order ?? order;
    if (direction !== "ascending" && direction !== "descending") {
      throw new QStreamError("OPTION_INVALID", `"${String(direction)}" is no direction of sorting`, {
        advice: 'Use "ascending" or "descending".',
      });
    }
    const selector = named.by as ((object: T) => Key) | string;
    return {
      // What is missing has its place in an order, so an object may lack the property.
      keyOf: keyFunction<T>(selector, { optional: true }),
      column: typeof selector === "string" ? selector : undefined,
      descending: direction === "descending",
    };
  });
}

/** What a sort says of itself in a plan. */
export function describeOrder<T>(terms: readonly OrderTerm<T>[]): readonly string[] {
  return terms.map(({ column, descending }) => `${column ?? "function"}${descending ? " descending" : ""}`);
}

/** The columns of sort keys, for columnar batches. @throws QStreamError UNSUPPORTED where one is a function */
export function orderColumns<T>(terms: readonly OrderTerm<T>[], kind: string): readonly string[] {
  return terms.map(({ column }) => {
    if (column !== undefined) return column;
    throw new QStreamError(
      "UNSUPPORTED",
      `${kind} was given a function, which can't read the rows of a columnar batch`,
      {
        advice: `Name the column instead: { by: "delay" }.`,
      },
    );
  });
}

/** A key as it is compared: text is rewritten where its UTF-16 units aren't in the order of its code points. */
export function comparableKey(key: Key): Key {
  return typeof key === "string" && surrogates.test(key) ? codePointOrdered(key) : key;
}

const surrogates = /[\ud800-\uffff]/;

/** Moves surrogates above all other units, so that comparing units compares code points, which is UTF-8's order too. */
function codePointOrdered(text: string): string {
  let moved = "";
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    moved += String.fromCharCode(unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
  }
  return moved;
}

/**
 * Compares two keys made by `comparableKey`, neither of them missing: negative where `a` comes first. Numbers and bigints by
 * value with NaN last, text by code points, false before true, Dates by time, bytes and arrays by their first difference;
 * keys of different kinds by kind.
 */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === "number" && typeof b === "number") {
    if (a < b) return -1;
    if (a > b) return 1;
    return a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a === b ? 0 : 1;
  return compareOthers(a, b);
}

function compareOthers(a: Key, b: Key): number {
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  if (rank === ranks.array) return compareLists(a as readonly Key[], b as readonly Key[]);
  if (rank === ranks.bytes) return Math.sign(Buffer.compare(a as Uint8Array, b as Uint8Array));
  if (rank === ranks.date) return compareKeys((a as Date).getTime(), (b as Date).getTime());
  if (rank === ranks.missing) return 0;
  // Numbers and bigints compare exactly with each other; only NaN compares with nothing.
  const [left, right] = [a as number | bigint, b as number | bigint];
  if (left < right) return -1;
  if (left > right) return 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

const ranks = { boolean: 0, number: 1, date: 2, string: 3, bytes: 4, array: 5, missing: 6 } as const;

function rankOf(key: Key): number {
  switch (typeof key) {
    case "boolean":
      return ranks.boolean;
    case "number":
    case "bigint":
      return ranks.number;
    case "string":
      return ranks.string;
    default:
      break;
  }
  if (key === null || key === undefined) return ranks.missing;
  if (key instanceof Date) return ranks.date;
  if (key instanceof Uint8Array) return ranks.bytes;
  if (Array.isArray(key)) return ranks.array;
  throw new QStreamError("BAD_INPUT", `a sort key can't be of type ${typeof key}`, {
    advice: "Sort by strings, numbers, bigints, booleans, dates, Uint8Arrays, null, or arrays of these.",
  });
}

function compareLists(a: readonly Key[], b: readonly Key[]): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = compareKeys(comparableKey(a[index]), comparableKey(b[index]));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The sort keys of objects: one array for each term, compared by place. */
export class KeyColumns<T> {
  readonly #terms: readonly OrderTerm<T>[];
  readonly columns: Key[][];

  constructor(terms: readonly OrderTerm<T>[]) {
    this.#terms = terms;
    this.columns = terms.map(() => []);
  }

  /** Takes the keys of objects, after those that were taken before. */
  push(objects: readonly T[]): void {
    for (const [index, { keyOf }] of this.#terms.entries()) {
      const column = this.columns[index] as Key[];
      for (const object of objects) column.push(comparableKey(keyOf(object)));
    }
  }

  /** Compares the keys at a place with those at a place of other columns of the same terms. */
  compare(place: number, others: KeyColumns<T>, otherPlace: number): number {
    for (let index = 0; index < this.columns.length; index += 1) {
      const a = (this.columns[index] as Key[])[place];
      const b = (others.columns[index] as Key[])[otherPlace];
      if (a === b) continue;
      if (a === null || a === undefined || b === null || b === undefined) {
        const missing = Number(a === null || a === undefined) - Number(b === null || b === undefined);
        if (missing !== 0) return missing;
        continue;
      }
      const difference = compareKeys(a, b);
      if (difference !== 0) return (this.#terms[index] as OrderTerm<T>).descending ? -difference : difference;
    }
    return 0;
  }
}

/** Objects in the order of the terms; those with equal keys keep their order. */
export function sorted<T>(objects: readonly T[], terms: readonly OrderTerm<T>[]): T[] {
  const keys = new KeyColumns(terms);
  keys.push(objects);
  const places = Array.from(objects, (_, place) => place);
  places.sort(placeComparison(keys, terms));
  return places.map((place) => objects[place] as T);
}

function placeComparison<T>(keys: KeyColumns<T>, terms: readonly OrderTerm<T>[]): (a: number, b: number) => number {
  const [only] = keys.columns;
  const simple = keys.columns.length === 1 && only?.every((key) => typeof key === "number" && !Number.isNaN(key));
  if (simple !== true) return (a, b) => keys.compare(a, keys, b);
  const numbers = Float64Array.from(only as number[]);
  const sign = terms[0]?.descending === true ? -1 : 1;
  return (a, b) => {
    const [left, right] = [numbers[a] as number, numbers[b] as number];
    // Not their difference, which is NaN for equal infinities.
    return left < right ? -sign : left > right ? sign : 0;
  };
}
