import type { ErrorCode } from "../../core/errors.ts";
import type { FaultKind } from "./faults.ts";

/**
 * How an execution may end where certain faults struck: those that it needn't survive. It may never give a wrong result, and never end
 * by a defect of ours.
 */
const excusedBy: Readonly<Partial<Record<FaultKind, readonly ErrorCode[]>>> = {
  // What was confirmed is gone: records, a fence, an execution, the checkpoint for which earlier records were freed.
  "store-forgets": ["LINEAGE_REGRESSED", "STORE_LOST", "EXECUTION_UNKNOWN", "EXECUTION_TAKEN", "NOT_RECOVERABLE"],
  // An operator that keeps what it sorts on disk.
  "disk-full": ["LIMIT_EXCEEDED"],
  // The same, where its attempts are used up.
  "disk-broken": ["STEP_FAILED"],
  // One task hangs as often as it is tried.
  hang: ["SLOT_LOST"],
};

/**
 * Codes of the errors that an execution may end with after certain faults, for `acceptErrors` of `checkSeeds`.
 *
 * @param struck - the faults of one seed, as its report counts them
 * @example
 * await checkSeeds(flow, {}, { seeds: 1000, faults: faultKinds, acceptErrors: excusedErrors });
 */
export function excusedErrors(struck: Readonly<Partial<Record<FaultKind, number>>>): readonly ErrorCode[] {
  return (Object.keys(struck) as FaultKind[]).flatMap((kind) => excusedBy[kind] ?? []);
}
