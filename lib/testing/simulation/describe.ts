import type { ChannelMove } from "../../../actors/scheduler/execution-events.ts";
import type { Order, Report } from "../../../actors/slot/protocol.ts";

/** An order as a line of the trace shows it. Executions aren't named: their ids differ from run to run. */
export function describeOrder(order: Order): string {
  switch (order.kind) {
    case "prepare":
      return `order prepare, ${order.channels.length} channels`;
    case "survey":
      return `order survey ${order.round}, lost lives ${order.lost.join(" ")}`;
    case "recover":
      return `order recover ${order.round}, ${order.channels.map(({ step, channel, life }) => `${step}.${channel} as life ${life}`).join(", ")}`;
    case "connect":
      return `order connect ${order.round}, ${order.links.length} links`;
    case "lineage-committed":
      return `order committed ${order.entries.map(({ number, through }) => `${number}:${through}`).join(" ")}`;
    case "lineage-answer":
      return `order answer ${order.call} ${order.answer.kind}`;
    default:
      return `order ${order.kind}`;
  }
}

/** A report as a line of the trace shows it. */
export function describeReport(report: Report): string {
  switch (report.kind) {
    case "channels-done":
      return `report done ${report.channels.map(({ step, channel }) => `${step}.${channel}`).join(" ")}`;
    case "channel-failed":
      return `report life ${report.life} failed at task ${report.seq}: ${withoutIds(report.error.message)}`;
    case "failed":
      return `report failed: ${withoutIds(report.error.message)}`;
    case "lineage-append":
      return `report append ${report.entries.map(({ number, generation, firstSeq, lengths }) => `${number}.${generation}:${firstSeq}+${lengths.length}`).join(" ")}`;
    case "lineage-call":
      return `report ${report.request.kind} ${report.request.number} as call ${report.call}`;
    case "surveyed":
    case "recovered":
      return `report ${report.kind} ${report.round}`;
    default:
      return `report ${report.kind}`;
  }
}

/** Channels that go elsewhere, as a line of the trace shows them. */
export function describeMoves(moves: readonly ChannelMove[]): string {
  if (moves.length === 0) return "no moves";
  return `moves ${moves.map(({ step, channel, from, slot }) => `${step}.${channel} from ${from} to ${slot}`).join(", ")}`;
}

/** A text in which executions, whose ids differ from run to run, aren't named. */
export function withoutIds(text: string): string {
  return text.replaceAll(/\brun-[0-9a-f]{12}\b/gu, "(the execution)");
}
