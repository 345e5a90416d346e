import type { RecoverableChannel } from "../lineage/lineage-actor.ts";
import type { Report } from "../slot/protocol.ts";
import type { SlotActivity } from "../slot/turn-notes.ts";
import type { ChannelMove } from "./execution-events.ts";
import type { ExecutionRequest } from "./execution-request.ts";
import type { ChannelFailure } from "./losses.ts";

/** What the scheduler's mailbox takes. */
export type Message =
  | { readonly kind: "run"; readonly request: ExecutionRequest }
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "cancel"; readonly execution: string; readonly reason: Error }
  | LossMessage
  | { readonly kind: "slot-added"; readonly isLast: boolean }
  | {
      readonly kind: "fenced";
      readonly execution: string;
      readonly round: number;
      readonly channels: readonly RecoverableChannel[];
    }
  | {
      readonly kind: "failure-counted";
      readonly failure: ChannelFailure;
      readonly count: number;
      /** Channels that were lost with it and wait for the count. */
      readonly lost: readonly number[] | undefined;
    }
  | RebalanceRequest
  | { readonly kind: "late"; readonly execution: string };

/** Slots ended by themselves, or were given up. */
export interface LossMessage {
  readonly kind: "lost";
  /** Several are all of one machine. */
  readonly slots: readonly string[];
  readonly error: Error;
  readonly reason: LossReason | undefined;
}

/** Why a slot was lost: what it was at, where that may be the reason; or it was `left`, as that of a machine that is drained. */
export type LossReason = SlotActivity | "left";

/** Somebody wants the load of an execution to be even. */
export interface RebalanceRequest {
  readonly kind: "rebalance";
  readonly subject: string;
  readonly answer: (moves: readonly ChannelMove[]) => void;
  readonly refuse: (error: Error) => void;
}

/** The execution that a message is about, where it is about one. */
export function executionOf(message: Message): string | undefined {
  switch (message.kind) {
    case "run":
      return message.request.execution;
    case "report":
      return message.report.execution;
    case "failure-counted":
      return message.failure.execution;
    case "lost":
    case "slot-added":
    case "rebalance":
      return undefined;
    default:
      return message.execution;
  }
}
