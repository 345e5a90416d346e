import type { CheckpointHead } from "../../lib/core/contracts/lineage.ts";
import type { ErrorData } from "../../lib/core/errors.ts";

/** Records of one channel on their way to the store. */
export interface LineageEntry {
  /** Number of the channel within its execution. */
  readonly number: number;
  readonly generation: number;
  readonly firstSeq: number;
  /** Bytes of each record. */
  readonly lengths: readonly number[];
}

/** What a slot asks of the lineage actor and waits for. */
export type LineageCall =
  | { readonly kind: "read"; readonly number: number; readonly afterSeq: number }
  /** `whole`: the bytes are asked for, also of a checkpoint that is elsewhere. */
  | { readonly kind: "load"; readonly number: number; readonly seq: number; readonly whole: boolean }
  | {
      readonly kind: "save";
      readonly number: number;
      readonly generation: number;
      readonly seq: number;
      readonly bytes: Uint8Array;
      readonly head: CheckpointHead;
    };

/** Records of one channel that are durable through a seq. */
export interface CommittedEntry {
  readonly number: number;
  readonly generation: number;
  readonly through: number;
}

/** What slots tell the lineage actor. */
export type LineageReport =
  | {
      readonly kind: "lineage-append";
      readonly execution: string;
      readonly slot: string;
      readonly entries: readonly LineageEntry[];
      /** The records of all entries, one behind the other: a message pays for each array of bytes that it carries. */
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "lineage-call";
      readonly execution: string;
      readonly slot: string;
      readonly call: number;
      readonly request: LineageCall;
    };

/** What the lineage actor answers: records of a channel are durable through a seq; a call's answer. */
export type LineageOrder =
  | {
      readonly kind: "lineage-committed";
      readonly execution: string;
      readonly entries: readonly CommittedEntry[];
    }
  | {
      readonly kind: "lineage-answer";
      readonly execution: string;
      readonly call: number;
      readonly answer: LineageAnswer;
    };

export type LineageAnswer =
  | { readonly kind: "records"; readonly records: readonly Uint8Array[] }
  /** What the store keeps of a checkpoint: its bytes, or the pointer to them. */
  | { readonly kind: "checkpoint"; readonly kept: Uint8Array | undefined }
  | { readonly kind: "saved"; readonly usable: boolean }
  | { readonly kind: "error"; readonly error: ErrorData };
