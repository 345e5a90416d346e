import type { DataFrame, Expr } from "nodejs-polars";
import { type BatchSupport, loadPolars, representationOf } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { comparableKeys } from "./frame-keys.ts";
import { type JoinPlan, keyNames, renamed, sharedKeys } from "./options.ts";

/** Rows of a frame that go out as one batch. */
const rowsMax = 65_536;

/** Joins frames with Polars' kernels. Inside, columns have names of ours, so that no name of the user's can disturb. */
export class FrameKernels {
  readonly #plan: JoinPlan;
  readonly #keys: { readonly left: readonly string[]; readonly right: readonly string[] };
  readonly #shared: ReadonlySet<string>;

  constructor(plan: JoinPlan) {
    this.#plan = plan;
    this.#keys = { left: keyNames(plan.left) ?? [], right: keyNames(plan.right) ?? [] };
    this.#shared = sharedKeys(plan);
  }

  /** Checks that a batch of a side has its key columns, also where nothing of the other side comes. @throws BAD_INPUT */
  requireKeys(side: "left" | "right", batch: unknown, support: BatchSupport): void {
    const frame = representationOf(batch) === "polars";
    const columns = frame
      ? (batch as DataFrame).columns
      : support.toArrow(batch).schema.fields.map((field) => field.name);
    this.#placesIn(columns, side);
  }

  /** Pairs, and with `left` or `right` also that side's rows without match; columns as the plan says. */
  join(left: DataFrame, right: DataFrame, how: "inner" | "left" | "right"): DataFrame {
    const keyed = this.#keyed(left, right);
    const joined = keyed.left.join(keyed.right, { on: keyed.names, how } as never) as DataFrame;
    const names: string[] = left.columns.slice();
    const columns: Expr[] = left.columns.map((name, index) => this.#leftColumn(name, index, { left, right, how }));
    const pl = loadPolars();
    const rightNames = new Set(right.columns);
    for (const [index, name] of right.columns.entries()) {
      if (this.#shared.has(name)) continue;
      const taken = (other: string): boolean => left.columns.includes(other) || rightNames.has(other);
      names.push(left.columns.includes(name) ? renamed(name, this.#plan, taken) : name);
      columns.push(pl.col(`r${index}`));
    }
    const result = joined.select(...columns);
    result.columns = names;
    return result;
  }

  /** Rows of the frame of one side that have a match in the other's (`semi`) or have none (`anti`); columns stay. */
  filter(side: "left" | "right", frame: DataFrame, other: DataFrame, how: "semi" | "anti"): DataFrame {
    const keyed = side === "left" ? this.#keyed(frame, other) : this.#keyed(other, frame);
    const [kept, asked] = side === "left" ? [keyed.left, keyed.right] : [keyed.right, keyed.left];
    const joined = kept.join(asked, { on: keyed.names, how } as never) as DataFrame;
    const result = joined.select(
      ...frame.columns.map((_, index) => `${side === "left" ? "l" : "r"}${index}`),
    ) as DataFrame;
    result.columns = frame.columns;
    return result;
  }

  /** A column of the left side; where a right row stands alone, a shared key is the right one's. */
  #leftColumn(
    name: string,
    index: number,
    { left, right, how }: { readonly left: DataFrame; readonly right: DataFrame; readonly how: string },
  ): Expr {
    const pl = loadPolars();
    if (how !== "right" || !this.#shared.has(name)) return pl.col(`l${index}`);
    const type = left.dtypes[index];
    const place = right.columns.indexOf(name);
    const column = pl.col(`r${place}`);
    // A left column without any value has no type of its own (Null), and takes the right one's.
    const typed = type !== undefined && (type as unknown as { readonly variant: string }).variant !== "Null";
    const differs = typed && String(type) !== String(right.dtypes[place]);
    return (differs ? column.cast(type, true) : column).alias(`l${index}`);
  }

  /** Both frames with our names, and key columns k0, k1... of equal types. */
  #keyed(left: DataFrame, right: DataFrame): { left: DataFrame; right: DataFrame; names: string[] } {
    const leftPlaces = this.#places(left, "left");
    const rightPlaces = this.#places(right, "right");
    const names = leftPlaces.map((_, index) => `k${index}`);
    const keys = leftPlaces.map((place, index) =>
      comparableKeys(
        { frame: left, place, name: `l${place}` },
        { frame: right, place: rightPlaces[index] ?? 0, name: `r${rightPlaces[index] ?? 0}` },
      ),
    );
    const withKeys = (frame: DataFrame, mark: string, side: "left" | "right"): DataFrame => {
      const named = frame.clone() as DataFrame;
      named.columns = frame.columns.map((_, index) => `${mark}${index}`);
      return named.withColumns(...keys.map((key, index) => key[side].alias(`k${index}`))) as DataFrame;
    };
    return { left: withKeys(left, "l", "left"), right: withKeys(right, "r", "right"), names };
  }

  #places(frame: DataFrame, side: "left" | "right"): number[] {
    return this.#placesIn(frame.columns, side);
  }

  #placesIn(columns: readonly string[], side: "left" | "right"): number[] {
    return this.#keys[side].map((name) => {
      const place = columns.indexOf(name);
      if (place >= 0) return place;
      throw new QStreamError("BAD_INPUT", `${this.#plan.what}: the ${side} side has no such column`, {
        input: side,
        column: name,
        advice: `It has ${columns.map((column) => JSON.stringify(column)).join(", ") || "no columns"}.`,
      });
    });
  }
}

/** One frame of several with the same columns; a column that is all null in one takes its type from the others. */
export function stackFrames(frames: readonly DataFrame[]): DataFrame {
  const [first] = frames;
  if (first === undefined) throw new QStreamError("INTERNAL", "no frames to stack");
  if (frames.length === 1) return first;
  try {
    return loadPolars().concat([...frames], { how: "verticalRelaxed" } as never) as DataFrame;
  } catch (error) {
    throw new QStreamError("BAD_INPUT", "batches of one stream have different columns", {
      advice: "Select and convert the columns so that all batches of the stream have the same.",
      cause: error,
    });
  }
}

/** Cuts a frame into batches of a moderate size; none for a frame without rows. */
export function cutFrame(frame: DataFrame): DataFrame[] {
  const parts: DataFrame[] = [];
  for (let from = 0; from < frame.height; from += rowsMax) {
    parts.push(
      frame.height <= rowsMax ? frame : (frame.slice(from, Math.min(rowsMax, frame.height - from)) as DataFrame),
    );
  }
  return parts;
}
