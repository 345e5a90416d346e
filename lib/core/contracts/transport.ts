import type { Payload } from "../payload.ts";

/** Which link a message belongs to: an edge of an execution's plan, a producing and a consuming channel. */
export interface LinkAddress {
  readonly execution: string;
  readonly edge: number;
  readonly from: number;
  readonly to: number;
}

/** What travels on a link between slots. `parcel` and `end` go downstream, `credit` and `cancel` upstream. */
export type LinkMessage = LinkAddress &
  (
    | { readonly kind: "parcel"; readonly seq: number; readonly previous: number; readonly payload: Payload }
    | { readonly kind: "end"; readonly previous: number }
    | { readonly kind: "credit"; readonly objects: number; readonly bytes: number }
    | { readonly kind: "cancel" }
  );

/**
 * Carries link messages between slots. Messages to one slot arrive once and in order; between slots there is no order.
 * `send` never blocks: links hold back by credit.
 */
export interface Transport {
  /** The slot that this end belongs to. */
  readonly slot: string;
  send: (to: string, message: LinkMessage) => void;
  /** Sets who gets what arrives. Messages that came before are delivered then. */
  receive: (handler: (message: LinkMessage, from: string) => void) => void;
  /** Payload bytes sent so far to other slots. */
  readonly bytesSent: number;
  close: () => Promise<void>;
}
