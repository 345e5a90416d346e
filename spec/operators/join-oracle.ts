import fc from "fast-check";
import { loadBatches, type Representation, representationOf } from "../../lib/core/batch/index.ts";
import type { OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import type { JoinKind } from "../../operators/join/options.ts";
import { type DrivenTask, drive } from "./drive.ts";

export type Row = Readonly<Record<string, unknown>>;

export const joinKinds: readonly JoinKind[] = ["inner", "left", "right", "full", "semi", "anti"];

/** Rows with few keys, so that there are matches, misses and missing keys; `id` and `day` are keys, both sides have `note`. */
export function sides(): fc.Arbitrary<{ left: Row[]; right: Row[] }> {
  const big = 9_007_199_254_740_993n;
  const id = fc.constantFrom<bigint | null>(1n, 2n, 3n, big, big - 1n, -big, null);
  const day = fc.constantFrom<string | null>("mon", "tue", null);
  const note = fc.constantFrom("x", "y");
  const row = (mark: string): fc.Arbitrary<Row> =>
    fc.record({ id, day, [mark]: fc.integer({ min: 0, max: 99 }), note }) as fc.Arbitrary<Row>;
  return fc.record({ left: fc.array(row("a"), { maxLength: 12 }), right: fc.array(row("b"), { maxLength: 12 }) });
}

/** The join by a nested loop. */
export function nestedLoop(left: readonly Row[], right: readonly Row[], keys: readonly string[], how: JoinKind): Row[] {
  const matches = (l: Row, r: Row): boolean => keys.every((key) => l[key] !== null && l[key] === r[key]);
  const out: Row[] = [];
  for (const l of left) {
    const found = right.filter((r) => matches(l, r));
    if (how === "semi") out.push(...(found.length > 0 ? [l] : []));
    else if (how === "anti") out.push(...(found.length > 0 ? [] : [l]));
    else if (found.length > 0) out.push(...found.map((r) => merge(l, r, keys)));
    else if (how === "left" || how === "full") out.push(l);
  }
  if (how !== "right" && how !== "full") return out;
  return [...out, ...right.filter((r) => !left.some((l) => matches(l, r)))];
}

function merge(left: Row, right: Row, keys: readonly string[]): Row {
  const renamed = Object.entries(right).map(([name, value]) => [
    name in left && !keys.includes(name) ? `${name}_2` : name,
    value,
  ]);
  return { ...(Object.fromEntries(renamed) as Row), ...left };
}

/**
 * Rows as sorted text: order doesn't count, nor the form of whole numbers. A missing property is a null: a batch has all
 * columns, and an unmatched right row has its note in the column note_2 there.
 */
export function canonical(rows: readonly Row[]): string[] {
  const missing = (value: unknown): boolean => value === undefined || value === null;
  const text = (row: Row): string => {
    const rightAlone = missing(row["a"]) && !missing(row["b"]);
    const both = (name: string): unknown[] =>
      rightAlone ? [row[`${name}_2`] ?? row[name], undefined] : [row[name], row[`${name}_2`]];
    const values = [row["id"], row["a"], row["b"], ...both("day"), ...both("note")];
    return values.map((value) => (missing(value) ? "-" : String(value))).join("|");
  };
  return rows.map((row) => text(row)).toSorted();
}

/** Tasks of one side: cut into sizes, and made batches where a representation is given. */
export async function tasksOf(
  input: string,
  rows: readonly Row[],
  size: number,
  representation: Representation | undefined,
): Promise<DrivenTask[]> {
  const tasks: DrivenTask[] = [];
  // All rows are converted at once, so that every batch has the same types; then cut.
  const batches = representation === undefined ? undefined : await loadBatches();
  const whole = batches?.fromObjects(rows, representation ?? "arrow");
  for (let from = 0; from < rows.length; from += size) {
    const to = Math.min(rows.length, from + size);
    tasks.push({ input, objects: batches === undefined ? rows.slice(from, to) : [batches.slice(whole, from, to)] });
  }
  return tasks;
}

/** What a definition gives for tasks, as rows, whatever their representation. */
export async function joined(
  definition: OperatorDefinition<{ left: Row; right: Row }, unknown>,
  tasks: readonly DrivenTask[],
  restoring: boolean,
): Promise<Row[]> {
  const objects = (await drive(definition, tasks, { restoring })) as unknown[];
  const batches = await loadBatches();
  return objects.flatMap((object) =>
    representationOf(object) === undefined ? [object as Row] : batches.toObjects(object),
  );
}
