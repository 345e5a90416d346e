import type { Representation } from "../../lib/core/contracts/operator.ts";
import type { Columns } from "../../lib/core/schema.ts";
import type { BadRows } from "../text/bad-row.ts";
import type { TextSplit } from "../text/splits.ts";
import type { Dialect } from "./dialect.ts";

/** The settings of a CSV reader, with their defaults filled in. */
export interface CsvSettings {
  readonly dialect: Dialect;
  readonly schema: Columns | undefined;
  readonly header: boolean;
  readonly nullValues: readonly string[];
  readonly badRows: BadRows;
  readonly recordBytesMax: number;
  readonly as: Representation;
}

/** A split of a CSV file, with the columns where they were inferred. */
export interface CsvSplit extends TextSplit {
  readonly columns?: Columns;
}
