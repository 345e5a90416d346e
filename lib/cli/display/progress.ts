import type { ExecutionEvent, ExecutionMetrics, StepSummary } from "../../../actors/scheduler/execution-events.ts";
import { EventLines, isTold } from "./event-lines.ts";
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
 * is written about every two seconds.
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
      const bars = fitting(
        progressLines(event.metrics, event.kind === "done", target.columns ?? 100),
        target.rows ?? 40,
      );
      target.write(`${bars.join("\n")}\n`);
      drawn = event.kind === "done" ? 0 : bars.length;
    } else if (event.kind === "progress" && event.metrics.elapsedMs >= lineAt) {
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
  return metrics.steps.map((step) => {
    const share = done ? 1 : shareOf(step);
    const bar =
      share === undefined ? "·".repeat(barWidth) : "█".repeat(Math.round(share * barWidth)).padEnd(barWidth, "░");
    const rows = step.kind === "reader" ? step.metrics.objectsRead : step.metrics.objectsIn;
    const rate = metrics.elapsedMs > 0 ? (rows / metrics.elapsedMs) * 1000 : 0;
    const text = `${step.step.padEnd(width)} ${bar} ${formatCount(rows).padStart(8)} rows ${formatCount(rate).padStart(7)}/s ${channelsOf(step)}${waitOf(step)}`;
    return text.slice(0, columns - 1);
  });
}

function progressLine(metrics: ExecutionMetrics): string {
  const readers = metrics.steps.filter((step) => step.kind === "reader");
  const splits = readers.reduce((sum, step) => sum + step.metrics.splits, 0);
  const splitsDone = readers.reduce((sum, step) => sum + step.metrics.splitsDone, 0);
  return `${formatDuration(metrics.elapsedMs)}: ${formatCount(metrics.rowsRead)} rows read, ${splitsDone} of ${splits} splits, ${formatBytes(metrics.bytesExchanged)} exchanged`;
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
