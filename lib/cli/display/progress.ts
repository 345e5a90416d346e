import type { ExecutionEvent, ExecutionMetrics, StepSummary } from "../../../actors/scheduler/execution-events.ts";
import { EventLines, isTold, slowLine } from "./event-lines.ts";
import { formatBytes, formatCount, formatDuration } from "./units.ts";

/** Where progress is drawn: a terminal, or anything that takes text. */
export interface ProgressTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write: (text: string) => unknown;
}

const barWidth = 24;

/**
 * Draws progress bars from an execution's events: a line a step, redrawn in place on a terminal. On anything else one line
 * is written about every two seconds, and a last one at the end.
 *
 * @returns what `run` takes as `onEvent`
 * @example
 * await flow.run(args, { onEvent: showProgress() });
 */
export function showProgress(target: ProgressTarget = process.stderr): (event: ExecutionEvent) => void {
  let drawn = 0;
  let lineAt = 0;
  const lines = new EventLines();
  const clear = (): void => {
    if (drawn > 0) target.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  return (event) => {
    if (event.kind === "placed" || event.kind === "started") return;
    if (isTold(event)) {
      const line = lines.lineOf(event);
      if (line === undefined) return;
      clear();
      target.write(`${line}\n`);
      return;
    }
    if (target.isTTY === true) {
      clear();
      if (event.kind === "failed") return;
      const columns = target.columns ?? 100;
      const steps = progressLines(event.metrics, event.kind === "done", columns);
      // What the execution waits for is what somebody looks for.
      const slow = slowLines(event.metrics).map((line) => line.slice(0, columns - 1));
      const bars = [...fitting(steps, (target.rows ?? 40) - slow.length), ...slow];
      target.write(`${bars.join("\n")}\n`);
      drawn = event.kind === "done" ? 0 : bars.length;
    } else if (event.kind === "progress" ? event.metrics.elapsedMs >= lineAt : event.kind === "done" && lineAt > 0) {
      // Where there were lines, the last one says what it all came to.
      lineAt = event.metrics.elapsedMs + 2000;
      target.write(`${progressLine(event.metrics)}\n`);
    }
  };
}

/** Lines that fit on the screen: what has scrolled away can't be drawn again. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  const most = Math.max(1, rows - 2);
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `... and ${lines.length - most + 1} more steps`];
}

/** A line for each step: a bar for what is known to be bounded, counts, rate, and what it waits for. */
export function progressLines(metrics: ExecutionMetrics, done: boolean, columns: number): string[] {
  const width = Math.max(...metrics.steps.map((step) => step.step.length));
  const replaying = replayingOf(metrics);
  return metrics.steps.map((step) => {
    const share = done ? 1 : shareOf(step);
    const bar =
      share === undefined ? "·".repeat(barWidth) : "█".repeat(Math.round(share * barWidth)).padEnd(barWidth, "░");
    const rows = step.kind === "reader" ? step.metrics.objectsRead : step.metrics.objectsIn;
    const rate = metrics.elapsedMs > 0 ? (rows / metrics.elapsedMs) * 1000 : 0;
    const text = `${step.step.padEnd(width)} ${bar} ${formatCount(rows).padStart(8)} rows ${formatCount(rate).padStart(7)}/s ${channelsOf(step)}${roundOf(step)}${replayOf(replaying.get(step.step) ?? 0)}${waitOf(step)}`;
    return text.slice(0, columns - 1);
  });
}

function roundOf({ metrics }: StepSummary): string {
  return metrics.round === 0 ? "" : `round ${formatCount(metrics.round)} `;
}

/** How many channels do again what a loss has undone, by step. */
function replayingOf({ channels }: ExecutionMetrics): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { step, state } of channels) if (state === "recovering") counts.set(step, (counts.get(step) ?? 0) + 1);
  return counts;
}

function replayOf(channels: number): string {
  return channels === 0 ? "" : `${channels === 1 ? "replays" : `${channels} replay`} `;
}

/** Slow tasks that are shown at once. */
const slowMost = 3;

function slowLines({ slowTasks = [] }: ExecutionMetrics): string[] {
  const lines = slowTasks.slice(0, slowMost).map(slowLine);
  const more = slowTasks.length - slowMost;
  return more > 0 ? [...lines, `... and for ${more} more ${more === 1 ? "task" : "tasks"}`] : lines;
}

function progressLine(metrics: ExecutionMetrics): string {
  const readers = metrics.steps.filter((step) => step.kind === "reader");
  const splits = readers.reduce((sum, step) => sum + step.metrics.splits, 0);
  const splitsDone = readers.reduce((sum, step) => sum + step.metrics.splitsDone, 0);
  const [slow] = slowLines(metrics);
  const told = `${formatDuration(metrics.elapsedMs)}: ${formatCount(metrics.rowsRead)} rows read, ${splitsDone} of ${splits} splits, ${formatBytes(metrics.bytesExchanged)} exchanged`;
  return [told, ...roundsOf(metrics)].join(", ") + (slow === undefined ? "" : `. ${slow}`);
}

/** Loops that a line tells of at once. */
const loopsMost = 3;

/** In which rounds the loops are. */
function roundsOf({ steps }: ExecutionMetrics): string[] {
  const loops = steps.filter(({ metrics }) => metrics.round > 0);
  const told = loops.slice(0, loopsMost).map(({ step, metrics }) => `"${step}" in round ${formatCount(metrics.round)}`);
  const more = loops.length - told.length;
  return more > 0 ? [...told, `${more} more ${more === 1 ? "loop" : "loops"}`] : told;
}

/** How much of a step is done: splits of a reader, channels of others; undefined while nothing tells. */
function shareOf(step: StepSummary): number | undefined {
  if (step.channelsDone === step.channels) return 1;
  if (step.kind === "reader" && step.metrics.splits > 0)
    return Math.min(1, step.metrics.splitsDone / step.metrics.splits);
  return step.channelsDone === 0 ? undefined : step.channelsDone / step.channels;
}

function channelsOf(step: StepSummary): string {
  return step.channels === 1 ? "" : `${step.channelsDone}/${step.channels} channels done `;
}

function waitOf(step: StepSummary): string {
  const spooled = step.metrics.spooledBytes;
  return spooled > 0 ? `${formatBytes(spooled)} spooled` : "";
}
