import type { PartitionFunction } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";

/** What to give where a partition function is wanted. */
export const partitionAdvice = 'Give a partition function, such as hash("to")';

/** For those who have no compiler to say so. */
export function isPartition(value: unknown): value is PartitionFunction<never> {
  return typeof (value as Partial<PartitionFunction<never>> | null | undefined)?.router === "function";
}

/** @throws QStreamError OPTION_INVALID for what is no partition function */
export function checkPartition(step: string, value: unknown): void {
  if (isPartition(value)) return;
  throw new QStreamError("OPTION_INVALID", `partition() got ${shown(value)} for what "${step}" makes`, {
    advice: partitionAdvice,
  });
}
