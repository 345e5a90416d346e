import type { ParquetFooter } from "./footer.ts";
import type { ParquetSettings } from "./options.ts";
import { mayMatch } from "./where.ts";

/** A run of rows of one Parquet file, in one or several adjacent row groups. */
export interface ParquetSplit {
  readonly path: string;
  readonly version: string;
  readonly firstRow: number;
  readonly rows: number;
  /** The row groups that hold them: from `firstGroup` up to but without `endGroup`. */
  readonly firstGroup: number;
  readonly endGroup: number;
  /** True if these are all rows of the file. */
  readonly whole: boolean;
  /** True for each string column, by name, that has few distinct values here. */
  readonly fewValues: readonly string[];
  /** Compressed bytes of all columns, for progress. */
  readonly bytes: number;
}

/**
 * Cuts a file into splits of about `splitRows` rows: adjacent row groups together, and a far bigger row group in parts. Row
 * groups without rows, and those whose statistics say that no row can meet the conditions, are left out.
 */
export function splitFile(
  { path, version }: { readonly path: string; readonly version: string },
  footer: ParquetFooter,
  settings: ParquetSettings,
  splitRows: number,
): ParquetSplit[] {
  const splits: ParquetSplit[] = [];
  let first: number | undefined;
  let rows = 0;
  const close = (end: number): void => {
    if (first !== undefined) splits.push(...cut(describe(footer, first, end), path, version, splitRows));
    first = undefined;
    rows = 0;
  };
  for (const [index, group] of footer.rowGroups.entries()) {
    const wanted = group.rows > 0 && mayMatch(group, footer.columns, settings.where);
    if (!wanted || rows + group.rows > splitRows) close(index);
    if (!wanted) continue;
    first ??= index;
    rows += group.rows;
  }
  close(footer.rowGroups.length);
  return splits;
}

type Described = Omit<ParquetSplit, "path" | "version">;

function describe(footer: ParquetFooter, firstGroup: number, endGroup: number): Described {
  const groups = footer.rowGroups.slice(firstGroup, endGroup);
  const chunks = groups.flatMap((group) => group.chunks);
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  return {
    firstRow: groups[0]?.firstRow ?? 0,
    rows,
    firstGroup,
    endGroup,
    whole: rows === footer.rows,
    fewValues: footer.columns
      .filter(
        ({ kind, name }) => kind === "string" && chunks.every((chunk) => chunk.column !== name || chunk.fewValues),
      )
      .map(({ name }) => name),
    bytes: chunks.reduce((sum, chunk) => sum + chunk.end - chunk.start, 0),
  };
}

/** Parts of a run that is more than four times as long as it should be: a huge row group. */
function cut(run: Described, path: string, version: string, splitRows: number): ParquetSplit[] {
  const limit = splitRows * 4;
  const parts = Math.ceil(run.rows / limit);
  if (parts <= 1) return [{ path, version, ...run }];
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((run.rows * part) / parts);
    const end = Math.floor((run.rows * (part + 1)) / parts);
    const bytes = Math.round(run.bytes / parts);
    return { path, version, ...run, firstRow: run.firstRow + from, rows: end - from, whole: false, bytes };
  });
}
