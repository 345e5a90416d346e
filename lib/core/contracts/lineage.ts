/** Why a task ran. With the inputs that it consumed, it is all that is needed to run the task again. */
export type Cause =
  | { readonly kind: "read"; readonly split: number; readonly position: number; readonly count: number }
  | { readonly kind: "parcels"; readonly input: string }
  | { readonly kind: "input-end"; readonly input: string }
  | { readonly kind: "continue" }
  | { readonly kind: "done" };

/** Consecutive parcels of one link that a task consumed. */
export interface Consumed {
  readonly edge: number;
  readonly from: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** How much a task sent on one link. */
export interface Produced {
  readonly edge: number;
  readonly to: number;
  readonly objects: number;
}

/** What is logged of a task, before anybody may consume its outputs. */
export interface TaskRecord {
  readonly step: number;
  readonly channel: number;
  readonly seq: number;
  readonly cause: Cause;
  readonly consumed: readonly Consumed[];
  readonly produced: readonly Produced[];
}

/** The log that channels write their tasks to. `committed` is called once the record is durable, in the order of records. */
export interface LineageLog {
  /** False where nothing is kept: then records aren't made, only numbered. */
  readonly keeps: boolean;
  append: (record: TaskRecord, committed: () => void) => void;
}
