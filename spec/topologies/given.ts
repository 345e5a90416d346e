import fc from "fast-check";
import { reader, run, type Reader } from "../../lib/index.ts";
import { loadBatches } from "../../lib/core/batch/index.ts";

/** The forms that a stream may have. */
export type Form = "objects" | "arrow" | "polars";
export const forms: readonly Form[] = ["objects", "arrow", "polars"];

/** A row with every kind of value that columns commonly have; `id` is its own. */
export type Row = {
  id: number;
  key: string;
  day: string | null;
  n: number;
  part: number | null;
  big: bigint;
};

/** How data is handed over and run, without any influence on what has to come out. */
export interface Manner {
  readonly form: Form;
  /** Rows of the pieces that the reader gives, used over and over. */
  readonly sizes: readonly number[];
  /** Channels of the readers. */
  readonly channels: number;
  readonly parcelObjects: number;
}

/**
 * Reads rows that are arguments of a flow, in pieces of given sizes: as runs of objects, or each piece as one batch.
 * The pieces of a stream have the same types, as those of a file have.
 */
export function given<T extends object>(
  rows: readonly T[],
  { form, sizes }: Pick<Manner, "form" | "sizes">,
): Reader<T> {
  return reader({
    kind: "given",
    options: { rows: rows.length, form, sizes },
    splits: () => pieces(rows.length, sizes),
    async *read({ from, to }) {
      if (form === "objects") {
        yield run(rows.slice(from, to));
        return;
      }
      const batches = await loadBatches();
      const whole = batches.fromObjects(rows as unknown as Record<string, unknown>[], form);
      yield batches.slice(whole, from, to) as T;
    },
  });
}

function pieces(length: number, sizes: readonly number[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (let from = 0; from < length;) {
    const to = Math.min(length, from + Math.max(1, sizes[found.length % Math.max(1, sizes.length)] ?? 1));
    found.push({ from, to });
    from = to;
  }
  return found;
}

const values = fc.record({
  key: fc.constantFrom("a", "b", "c", "dd", "é", ""),
  day: fc.option(fc.constantFrom("mon", "tue"), { nil: null }),
  n: fc.integer({ min: -20, max: 20 }),
  // Quarters add up exactly in any order.
  part: fc.option(
    fc.integer({ min: -40, max: 40 }).map((n) => n / 4),
    { nil: null },
  ),
  big: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
});

/** Rows with few keys, so that groups have several. */
export function rowsOf(maxLength: number): fc.Arbitrary<Row[]> {
  return fc.array(values, { maxLength }).map((list) => list.map((row, id) => ({ id, ...row })));
}

/** A form at random unless told. */
export function manners(form?: Form): fc.Arbitrary<Manner> {
  return fc.record({
    form: form === undefined ? fc.constantFrom(...forms) : fc.constant(form),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
    channels: fc.integer({ min: 1, max: 5 }),
    parcelObjects: fc.constantFrom(1, 2, 3, 7, 64, 1024),
  });
}

/** A value as text in which it compares equal whatever its representation: whole numbers of any type, missing as null. */
export function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "number") return Number.isInteger(value) ? `${value === 0 ? 0 : value}` : value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, plain(inner)] as const);
  const present = entries.filter(([, inner]) => inner !== null);
  return Object.fromEntries(present.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Objects as texts in an order of their own: equal for equal multisets. */
export function texts(objects: readonly unknown[]): string[] {
  return objects.map((object) => JSON.stringify(plain(object))).toSorted();
}

/** Rows by a key. */
export function grouped<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
