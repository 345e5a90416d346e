import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames } from "../../core/option-names.ts";

export interface CheckHistoryOptions {
  /**
   * How many steps a search takes, steps being operations that the model is asked about; 1,000,000 unless told. The
   * memory that it takes grows with them. A search that meets the limit answers "unknown".
   */
  readonly stepsMax?: number;
}

/** The options of a check with what is usual, or an error for those that can't be. */
export function stepsMaxOf(of: string, options: CheckHistoryOptions, names: readonly string[]): number {
  checkOptionNames(of, options, names);
  const { stepsMax = 1_000_000 } = options;
  if (!Number.isInteger(stepsMax) || stepsMax < 1) {
    throw new QStreamError("OPTION_INVALID", `stepsMax of ${of} is ${stepsMax}, and has to be a whole number from 1`);
  }
  return stepsMax;
}
