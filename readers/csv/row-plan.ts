import { QStreamError } from "../../lib/core/errors.ts";
import { schemaFields, type ColumnField, type Columns } from "../../lib/core/schema.ts";
import type { RecordParser } from "./record-parser.ts";
import { conversions, notAValue, type Conversion } from "./values.ts";

interface PlannedField extends ColumnField {
  /** Which field of a record it is. */
  readonly index: number;
  readonly convert: Conversion;
}

/** What is wrong with a record. */
export interface RecordProblem {
  readonly reason: string;
  readonly column?: string;
}

/** How the records of one file become rows: which field is which column, and of which type. */
export class RowPlan {
  readonly fields: readonly PlannedField[];
  /** Values of the current row, in the order of `fields`; used again for each row. */
  readonly values: unknown[];
  readonly #width: number;
  readonly #missing: ReadonlySet<string>;

  private constructor(fields: readonly PlannedField[], width: number, nullValues: readonly string[]) {
    this.fields = fields;
    this.values = new Array<unknown>(fields.length).fill(null);
    this.#width = width;
    this.#missing = new Set(nullValues);
  }

  /** Plans a file by its header; `exact` refuses columns that the schema doesn't have. */
  static ofHeader(
    columns: Columns,
    names: readonly string[],
    how: { readonly file: string; readonly exact: boolean; readonly nullValues: readonly string[] },
  ): RowPlan {
    const wrong = (what: string, column: string, advice: string): QStreamError =>
      new QStreamError("BAD_INPUT", what, { file: how.file, line: 1, column, advice });
    const shown = names.join(", ");
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index) {
        throw wrong("the header has a column twice", name, `It reads: ${shown}. Name the columns with header: false.`);
      }
      if (how.exact && !(name in columns)) {
        throw wrong(
          "the header has a column that the first file lacks",
          name,
          "Give a schema with the columns to read.",
        );
      }
    }
    const fields = schemaFields(columns).map((field) => {
      const index = names.indexOf(field.name);
      if (index === -1) throw wrong("the header lacks a column", field.name, `It reads: ${shown}.`);
      return { ...field, index, convert: conversions[field.kind] };
    });
    return new RowPlan(fields, names.length, how.nullValues);
  }

  /** Plans files without header: the columns are the fields, in order. */
  static ofPositions(columns: Columns, nullValues: readonly string[]): RowPlan {
    const fields = schemaFields(columns).map((field, index) => ({ ...field, index, convert: conversions[field.kind] }));
    return new RowPlan(fields, fields.length, nullValues);
  }

  /** True for a line without anything, which is no row (but a missing value where there is one column). */
  isBlank(parser: RecordParser): boolean {
    return parser.count === 1 && this.#width > 1 && parser.fields[0] === "" && parser.quoted[0] === false;
  }

  /** Converts the parser's record into `values`. */
  convert(parser: RecordParser): RecordProblem | undefined {
    if (parser.problem !== undefined) return { reason: parser.problem };
    if (parser.count !== this.#width) return { reason: `a row has ${parser.count} fields instead of ${this.#width}` };
    const { fields, values } = this;
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at];
      if (field === undefined) break;
      const text = parser.fields[field.index] ?? "";
      if (parser.quoted[field.index] !== true && this.#missing.has(text)) {
        if (field.nullable) {
          values[at] = null;
          continue;
        }
        if (text !== "" || field.kind !== "string") {
          return { column: field.name, reason: `a value is missing, and ${field.kind} without ? must be there` };
        }
      }
      const value = field.convert(text);
      if (value === notAValue) return { column: field.name, reason: `${JSON.stringify(text)} is no ${field.kind}` };
      values[at] = value;
    }
    return undefined;
  }
}
