import { waitsForOthers } from "../channel/channel-parts.ts";
import type { Hosted } from "./links.ts";
import type { ChannelReport, ReplayReport } from "./protocol.ts";

/** A channel of a slot as reports are made of it. */
export interface ReportedChannel extends Pick<Hosted, "channel" | "step" | "index" | "consumers"> {
  /** State and counts as they were reported last. */
  reported: string | undefined;
}

/** The channels that changed since they were reported last: there may be thousands that didn't. */
export function channelReportsOf(channels: Iterable<ReportedChannel>): ChannelReport[] {
  const reports: ChannelReport[] = [];
  for (const reported of channels) {
    const { channel, step, index } = reported;
    const { task, state } = channel;
    const { tasks, parcelsIn, spooledBytes } = channel.metrics;
    const condition = `${state} ${task ?? ""} ${tasks} ${parcelsIn} ${spooledBytes}`;
    // A life that makes outputs again isn't the one that its channel is judged by.
    if (condition === reported.reported || reported.consumers.size > 0) continue;
    reported.reported = condition;
    const idle = tasks + parcelsIn === 0;
    reports.push({
      step,
      channel: index,
      state,
      waits: channel.describeWait(),
      ...(task === undefined ? {} : { task }),
      ...(idle ? {} : { metrics: channel.metrics }),
    });
  }
  return reports;
}

/** How far lives are that make outputs again. */
export function replayReportOf(channels: Iterable<ReportedChannel>): ReplayReport {
  let [lives, busy, pulse] = [0, 0, 0];
  for (const { channel, consumers } of channels) {
    if (consumers.size === 0) continue;
    lives++;
    if (!waitsForOthers(channel.state)) busy++;
    pulse += channel.metrics.tasks + channel.metrics.parcelsIn;
  }
  return { lives, busy, pulse };
}
