import type { CheckpointHead } from "../../lib/core/contracts/lineage.ts";
import type { ErrorData } from "../../lib/core/errors.ts";
import type { LineageMetrics } from "../lineage/lineage-metrics.ts";
import type { Order, Report } from "../slot/protocol.ts";
import type { SlotActivity } from "../slot/turn-notes.ts";

/** Where a machine listens. */
export interface MachinePlace {
  /** Its name: no other machine, and no other life of this one, has it. */
  readonly id: string;
  /** `ws://host:port` or `wss://host:port`. */
  readonly url: string;
}

/** What a machine offers. */
export interface MachineOffer extends MachinePlace {
  /** Names of its slots, as far as they run. */
  readonly slots: readonly string[];
  readonly tags: readonly string[];
  /** What the host is called, for people. */
  readonly host: string;
  /** Bytes of heap of each slot; undefined for the engine's default. */
  readonly memoryBytes: number | undefined;
  /** It can't reach the store: what it did couldn't be written down. */
  readonly storeAway?: boolean | undefined;
}

/** Code that an execution's slots run. */
export interface BundleReference {
  /** SHA-256 of its bytes, in hexadecimal digits. */
  readonly hash: string;
  /** Where it can be had. */
  readonly url: string;
}

/** What a slot is ordered. */
export interface SlotOrder {
  readonly slot: string;
  readonly order: Order;
}

/** Orders without where all channels are, and beside them that, for each of those that need it. */
export interface PackedOrders {
  readonly orders: readonly (SlotOrder & { readonly places?: number })[];
  readonly places: readonly Uint8Array[];
}

/** What the driver of an execution tells a machine. */
export type ToMachine =
  /** An execution may come to the machine's slots: with this code, and the other machines that run it. */
  | {
      readonly kind: "open";
      readonly execution: string;
      /** How many drivers it has had, with this one, and the epoch of the head that started it: those before are refused. */
      readonly driver: number;
      readonly epoch: number;
      readonly bundle: BundleReference;
      /** URL of the store that its lineage is written to; `none`: it keeps none. */
      readonly store: string;
      /** Milliseconds for which it waits for a store that is away. */
      readonly storeWaitMs: number;
    }
  | { readonly kind: "machines"; readonly machines: readonly MachinePlace[] }
  /** In this order. What several have in common travels once. */
  | ({ readonly kind: "orders" } & PackedOrders)
  /** A slot didn't answer in time. */
  | { readonly kind: "lose"; readonly slot: string }
  /** The answer to a question of the machine's lineage writer. */
  | { readonly kind: "lineage-answer"; readonly question: number; readonly yes: boolean }
  /** The driver ends, or needs the machine no more: what it ran here is over. */
  | { readonly kind: "leave" };

/** What a machine tells the driver of an execution. */
export type FromMachine =
  /** The slots of the machine, once the driver has said a word. */
  | { readonly kind: "slots"; readonly slots: readonly string[]; readonly tags: readonly string[] }
  | { readonly kind: "report"; readonly report: Report }
  | {
      readonly kind: "slot-lost";
      readonly slot: string;
      readonly error: ErrorData;
      readonly activity?: SlotActivity | undefined;
    }
  /** What the machine's lineage writer asks, or has to say, of an execution; `question` where it waits for an answer. */
  | {
      readonly kind: "lineage";
      readonly execution: string;
      readonly question?: number | undefined;
      readonly said: LineageWord;
    }
  /** The machine can't reach the store (any more), said again now and then; or it can again. */
  | { readonly kind: "store-away"; readonly away: boolean }
  /** Nothing comes back from another machine, for which messages wait: said again while that is so. */
  | { readonly kind: "peer-silent"; readonly machine: string }
  /** Another driver goes on with the execution. */
  | { readonly kind: "taken"; readonly execution: string }
  /** A slot was started in place of a lost one, or can't be. */
  | { readonly kind: "slot-replaced"; readonly lost: string; readonly slot: string | undefined };

/** What a machine's lineage writer says to who knows all channels of an execution (`LineageAuthority`). */
export type LineageWord =
  | { readonly kind: "usable"; readonly number: number; readonly head: CheckpointHead }
  | { readonly kind: "saved"; readonly number: number; readonly seq: number; readonly head: CheckpointHead }
  | { readonly kind: "damaged"; readonly number: number; readonly seq: number }
  | { readonly kind: "refused"; readonly number: number; readonly generation: number }
  | { readonly kind: "failed"; readonly error: ErrorData }
  | { readonly kind: "written"; readonly written: LineageMetrics };
