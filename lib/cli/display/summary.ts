import { passedOver } from "../../../actors/channel/channel-metrics.ts";
import type { ChannelPlacement, ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { formatTable } from "./table.ts";
import { formatBytes, formatCount, formatDuration } from "./units.ts";

/** One line for an execution that ended: rows, seconds, rows a second, bytes exchanged, memory. Another one if it was gone on with. */
export function formatSummary(metrics: ExecutionMetrics): string {
  const rate = metrics.elapsedMs > 0 ? (metrics.rowsRead / metrics.elapsedMs) * 1000 : 0;
  const parts = [
    `${metrics.rowsRead.toLocaleString("en-US")} rows in ${formatDuration(metrics.elapsedMs)}`,
    `${formatCount(rate)} rows/s`,
    `${formatBytes(metrics.bytesExchanged)} exchanged between slots`,
    ...(metrics.bytesSpooled > 0 ? [`${formatBytes(metrics.bytesSpooled)} spooled to disk`] : []),
    ...lineageOf(metrics),
    ...lateOf(metrics),
    ...leftOutOf(metrics),
    // A run that is over at once ends before anybody has looked.
    ...(metrics.memoryBytes > 0 ? [`${formatBytes(metrics.memoryBytes)} of memory at most`] : []),
  ];
  const since =
    metrics.resumed === true ? "Counted since it was gone on with: what was done before isn't in it.\n" : "";
  return `${parts.join(", ")}\n${since}`;
}

function lateOf({ lateMessages }: ExecutionMetrics): string[] {
  if (lateMessages === 0) return [];
  return [`${lateMessages.toLocaleString("en-US")} late message${lateMessages === 1 ? "" : "s"} refused`];
}

/** Counters of the engine and of readers of what didn't go the usual way, and how to say one and more. */
const leftOut: readonly (readonly [counter: string, one: string, more: string])[] = [
  [passedOver, "object passed over", "objects passed over"],
  ["badRows", "bad row", "bad rows"],
  ["bad files", "bad file", "bad files"],
];

/** Nothing is dropped without a word: how much of it there was, by step. */
function leftOutOf({ steps }: ExecutionMetrics): string[] {
  return leftOut.flatMap(([counter, one, more]) =>
    steps.flatMap(({ step, metrics }) => {
      const count = metrics.counters[counter] ?? 0;
      return count === 0 ? [] : [`${count.toLocaleString("en-US")} ${count === 1 ? one : more} in "${step}"`];
    }),
  );
}

function lineageOf({ lineage }: ExecutionMetrics): string[] {
  if (lineage === undefined || lineage.records === 0) return [];
  const { checkpoints, checkpointBytes, recordBytes } = lineage;
  const saved = `${formatCount(checkpoints)} checkpoint${checkpoints === 1 ? "" : "s"} of ${formatBytes(checkpointBytes)}`;
  return [`${formatBytes(recordBytes)} of lineage${checkpoints === 0 ? "" : ` and ${saved}`} stored`];
}

/** The placement of channels on slots as a table: a row a step, a column a slot. */
export function formatPlacement(placement: readonly ChannelPlacement[]): string {
  const slots = [...new Set(placement.map((channel) => channel.slot))].toSorted(bySlot);
  const steps = [...new Set(placement.map((channel) => channel.step))];
  const rows = steps.map((step) => {
    const row: Record<string, string> = { step };
    for (const slot of slots)
      row[slot] = rangesOf(
        placement.filter((channel) => channel.step === step && channel.slot === slot).map((channel) => channel.channel),
      );
    return row;
  });
  return formatTable(rows, { rowsMax: 200 });
}

/** What each step did, as a table. */
export function formatSteps(metrics: ExecutionMetrics): string {
  const anyPassedOver = metrics.steps.some((step) => step.metrics.counters[passedOver] !== undefined);
  return formatTable(
    metrics.steps.map(({ step, what, channels, metrics: sum }) => ({
      step,
      what,
      channels,
      "objects in": sum.objectsIn,
      "objects out": sum.objectsOut,
      tasks: sum.tasks,
      ...(anyPassedOver ? { "passed over": sum.counters[passedOver] ?? 0 } : {}),
      busy: formatDuration(sum.busyMs),
      "credit wait": formatDuration(sum.creditWaitMs),
      exchanged: formatBytes(sum.bytesExchanged),
    })),
    { rowsMax: 200 },
  );
}

function bySlot(left: string, right: string): number {
  return left.localeCompare(right, "en", { numeric: true });
}

/** `0-3, 7`: channel numbers, runs of them shortened. */
function rangesOf(channels: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const channel of channels) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === channel - 1) last[1] = channel;
    else ranges.push([channel, channel]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}
