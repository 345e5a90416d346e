import type { Payload } from "../payload.ts";

/**
 * Which link a message belongs to: an edge of an execution's plan, a producing and a consuming channel, and which life of
 * each. A life is numbered within its execution; what is meant for or comes from another life than the one that is
 * connected is refused.
 */
export interface LinkAddress {
  readonly execution: string;
  readonly edge: number;
  readonly from: number;
  readonly to: number;
  readonly producer: number;
  readonly consumer: number;
}

/**
 * What travels on a link between slots. `parcel` and `end` go downstream, `open`, `credit` and `cancel` upstream. `open` asks
 * a producer for what it sent after seq `after`, and gives its first credit.
 */
export type LinkMessage = LinkAddress &
  (
    | { readonly kind: "parcel"; readonly seq: number; readonly previous: number; readonly payload: Payload }
    | { readonly kind: "end"; readonly previous: number }
    | { readonly kind: "open"; readonly after: number; readonly objects: number; readonly bytes: number }
    | { readonly kind: "credit"; readonly objects: number; readonly bytes: number }
    | { readonly kind: "cancel" }
  );

/**
 * Carries link messages between slots. What goes downstream from one slot to another arrives once and in order, and so does what
 * goes upstream; between the two there is no order, since between machines they have connections of their own, and none between
 * slots. `send` never blocks: links hold back by credit.
 */
export interface Transport {
  /** The slot that this end belongs to. */
  readonly slot: string;
  send: (to: string, message: LinkMessage) => void;
  /** Sets who gets what arrives. Messages that came before are delivered then. */
  receive: (handler: (message: LinkMessage, from: string) => void) => void;
  /** True where payloads leave the process: who makes one adds its checksum, while its bytes are in the core's caches. */
  readonly checked?: boolean;
  /** Payload bytes sent so far to other slots. */
  readonly bytesSent: number;
  close: () => Promise<void>;
}
