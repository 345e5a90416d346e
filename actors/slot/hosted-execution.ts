import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import type { ChannelReport, LinkOrder, Order, ReplayReport, Report } from "./protocol.ts";

/** One slot's part of an execution, as the slot follows the scheduler's orders: channels of a flow, or hosts of actors. */
export interface HostedExecution {
  readonly id: string;
  /** What it counts of messages that it drops. */
  readonly dropped: { readonly staleMessages: number; readonly repeatedParcels: number };
  /** Something is on its way to disk or from it. */
  readonly onItsWay: boolean;
  start: () => void;
  /** Takes a message of another slot. */
  receive: (message: LinkMessage) => void;
  /** Some lives are over. Says where the links to them stand. */
  survey: (order: Extract<Order, { kind: "survey" }>) => Extract<Report, { kind: "surveyed" }>;
  /** Other lives take over; some start here. */
  recover: (order: Extract<Order, { kind: "recover" }>) => Promise<void>;
  connect: (links: readonly LinkOrder[]) => void;
  /** The channels that changed since they were reported last. */
  channelReports: () => ChannelReport[];
  replayReport: () => ReplayReport;
  commit: () => Promise<void>;
  stop: (reason: Error) => Promise<void>;
  release: () => Promise<void>;
}
