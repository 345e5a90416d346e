import type { RunCounts } from "./counts.ts";

/** What runs took with one number of machines. */
export interface SizeCounts {
  readonly size: number;
  readonly counts: RunCounts;
}

/** How what runs take grows with the number of machines: exponents of N that fit medians best. */
export interface Growth {
  /** Of the numbers of machines with which all held. */
  readonly sizes: readonly SizeCounts[];
  /** The number of machines with which something was broken; and those that weren't tried as it was. */
  readonly broken: number | undefined;
  readonly left: readonly number[];
  readonly messages: number | undefined;
  readonly rounds: number | undefined;
  readonly steps: number | undefined;
}

/** @param others - the number of machines with which something was broken, and those that weren't tried then */
export function growthOf(sizes: readonly SizeCounts[], [broken, ...left]: readonly number[] = []): Growth {
  const exponent = (what: keyof RunCounts): number | undefined =>
    fittedExponent(sizes.map(({ size, counts }) => [size, counts[what].median] as const));
  return {
    sizes,
    broken,
    left,
    messages: exponent("messages"),
    rounds: exponent("rounds"),
    steps: exponent("steps"),
  };
}

/** The growth as a table, a row for each number of machines. */
export function growthText({ sizes, broken, left, messages, rounds, steps }: Growth): string {
  const rows = [
    ["machines", "messages", "rounds", "steps"],
    ...sizes.map(({ size, counts }) => [String(size), ...columns.map((what) => spreadText(counts[what]))]),
    ...(broken === undefined ? [] : [[String(broken), "broken"]]),
    ...left.map((size) => [String(size), "not run"]),
    ["grows as", ...[messages, rounds, steps].map((each) => (each === undefined ? "-" : `N^${each.toFixed(2)}`))],
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ")).join("\n");
}

const columns = ["messages", "rounds", "steps"] as const;

function spreadText({ min, median, max }: RunCounts["steps"]): string {
  return min === max ? String(median) : `${median} (${min} to ${max})`;
}

/** The slope of a line through the logarithms, by least squares; undefined where there is none. */
function fittedExponent(points: readonly (readonly [number, number])[]): number | undefined {
  const logs = points
    .filter(([, value]) => value > 0)
    .map(([size, value]) => [Math.log(size), Math.log(value)] as const);
  const count = logs.length;
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (count < 2 || spread === 0) return undefined;
  return logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
