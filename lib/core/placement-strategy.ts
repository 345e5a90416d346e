/** Where the channels of a step may go, as plain data that the scheduler reads. */
export type PlacementStrategy =
  | { readonly kind: "single" }
  | { readonly kind: "per-slot"; readonly channels: number }
  | { readonly kind: "per-machine"; readonly channels: number }
  | { readonly kind: "tagged"; readonly tag: string; readonly channels: number }
  | { readonly kind: "with-data" }
  | { readonly kind: "spread"; readonly channels: number }
  | { readonly kind: "client" }
  /** Each channel where the channel of the same number of another step is, by the plan's index of that step. */
  | { readonly kind: "with-step"; readonly step: number; readonly channels: number };

/** A slot as the scheduler knows it. */
export interface SlotPlace {
  readonly id: string;
  readonly machine: string;
  readonly tags: readonly string[];
}
