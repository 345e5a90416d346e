/** What there has to be for a strategy, and what happens while it isn't there. */
export interface Needs {
  /** How many machines there have to be at least; of those with the tag, for `tagged`. Default 1. */
  readonly machines?: number;
  /** `fail` (default): PLACEMENT_IMPOSSIBLE at once. `wait`: for machines of a cluster that join later. */
  readonly whenMissing?: "fail" | "wait";
  /** Milliseconds that it waits at most, for `wait`. Default 60,000. */
  readonly waitMs?: number;
}

/** Where the channels of a step may go, as plain data that the scheduler reads. */
export type PlacementStrategy =
  | { readonly kind: "single" }
  | { readonly kind: "per-slot"; readonly channels: number }
  | ({ readonly kind: "per-machine"; readonly channels: number } & Needs)
  | ({ readonly kind: "tagged"; readonly tag: string; readonly channels: number } & Needs)
  | { readonly kind: "with-data" }
  /** A reader's channels on machines that have a replica of the files of their splits. */
  | {
      readonly kind: "near-files";
      readonly channels: number;
      readonly whenMissing?: "anywhere" | "fail" | "wait";
      readonly waitMs?: number;
    }
  /** Each channel on a machine (or slot) of its own; or all where no channel of other steps is. */
  | ({
      readonly kind: "apart";
      /** Ids of other steps; empty: the step's own channels are kept apart from each other. */
      readonly from: readonly string[];
      readonly by: "machine" | "slot";
      readonly channels: number;
    } & Omit<Needs, "machines">)
  | { readonly kind: "spread"; readonly channels: number }
  | { readonly kind: "client" }
  /** Each channel where the channel of the same number of another step is, by the plan's index of that step. */
  | { readonly kind: "with-step"; readonly step: number; readonly channels: number };

/** A slot as the scheduler knows it. */
export interface SlotPlace {
  readonly id: string;
  readonly machine: string;
  /** Of its machine. A tag `files:FOLDER` says that the machine has the files below that folder (`qstream worker --has`). */
  readonly tags: readonly string[];
}

/** Bytes that went over each edge of a plan so far, by the plan's index of the edge. */
export type EdgeSizes = readonly number[];
