import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { loadBatches } from "../lib/core/batch/index.ts";
import type { Reader } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** Options of readers of tables in memory. */
export interface TableOptions {
  /** Rows of one split, and of one batch. Default 65,536. */
  readonly splitRows?: number;
}

/** Rows of a table: from `first` up to but without `end`. */
export interface TableSplit {
  readonly first: number;
  readonly end: number;
  /** Rows of the whole table where the splits were made. */
  readonly rows: number;
}

/**
 * Reads an Arrow table in memory, as batches that share its buffers. The table is part of the flow's code: every slot has
 * its own, so a function should make the same table each time.
 *
 * @param table - the table, or a function that makes it, called once in each slot that reads it
 * @param options - `splitRows`, rows of a batch
 * @throws QStreamError OPTION_INVALID if `splitRows` isn't a positive integer
 * @example
 * q.read("points", arrowTable(() => tableFromArrays({ x: Float64Array.of(1, 2), y: Float64Array.of(3, 4) })));
 */
export function arrowTable(
  table: Table | (() => Table | Promise<Table>),
  options: TableOptions = {},
): Reader<Table, TableSplit> {
  return tableReader({ kind: "arrow-table", source: table, rowsOf: (made) => made.numRows, options });
}

/**
 * Reads a Polars frame in memory, as frames that share its buffers. The frame is part of the flow's code: every slot has
 * its own, so a function should make the same frame each time.
 *
 * @param frame - the frame, or a function that makes it, called once in each slot that reads it
 * @param options - `splitRows`, rows of a batch
 * @throws QStreamError OPTION_INVALID if `splitRows` isn't a positive integer
 * @example
 * q.read("points", polarsFrame(() => pl.DataFrame({ x: [1, 2], y: [3, 4] })));
 */
export function polarsFrame(
  frame: DataFrame | (() => DataFrame | Promise<DataFrame>),
  options: TableOptions = {},
): Reader<DataFrame, TableSplit> {
  return tableReader({ kind: "polars-frame", source: frame, rowsOf: (made) => made.height, options });
}

interface TableSource<T> {
  readonly kind: string;
  readonly source: T | (() => T | Promise<T>);
  readonly rowsOf: (table: T) => number;
  readonly options: TableOptions;
}

const optionNames = namesOf<TableOptions>({ splitRows: true });

function tableReader<T extends object>({ kind, source, rowsOf, options }: TableSource<T>): Reader<T, TableSplit> {
  checkOptionNames(kind === "arrow-table" ? "arrowTable()" : "polarsFrame()", options, optionNames);
  const splitRows = options.splitRows ?? 65_536;
  if (!Number.isSafeInteger(splitRows) || splitRows < 1) {
    throw new QStreamError("OPTION_INVALID", `splitRows is ${splitRows}`, { advice: "Give a positive integer." });
  }
  let made: Promise<T> | undefined;
  const table = (): Promise<T> => (made ??= makeTable(source));
  return {
    kind,
    options: { splitRows, source: isMaker(source) ? "function" : { rows: rowsOf(source) } },
    sizeOf: ({ first, end }) => end - first,
    async splits() {
      const rows = rowsOf(await table());
      return Array.from({ length: Math.ceil(rows / splitRows) }, (_, part) => ({
        first: part * splitRows,
        end: Math.min((part + 1) * splitRows, rows),
        rows,
      }));
    },
    async *read({ first, end, rows }) {
      const whole = await table();
      if (rowsOf(whole) !== rows) {
        throw new QStreamError(
          "BUILDER_IMPURE",
          `a table in memory has ${rowsOf(whole)} rows here and ${rows} elsewhere`,
          {
            advice: "Make it from constants and from the flow's arguments only, so that it is the same in every slot.",
          },
        );
      }
      const batches = await loadBatches();
      yield batches.slice(whole, first, end) as T;
    },
  };
}

// A frame of Polars is an object with call signatures nowhere, but its type can't say so: only a function is called.
function isMaker<T>(source: T | (() => T | Promise<T>)): source is () => T | Promise<T> {
  return typeof source === "function";
}

async function makeTable<T>(source: T | (() => T | Promise<T>)): Promise<T> {
  return isMaker(source) ? source() : source;
}
