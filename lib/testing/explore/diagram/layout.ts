import type { RunTrace } from "../trace.ts";
import { arrowsOf, type Arrow } from "./arrows.ts";
import { describeLeftOut, describeViolation } from "./describe.ts";
import { Lanes } from "./lanes.ts";
import { layLegend, type LegendEntry } from "./legend.ts";
import type { CheckedRange } from "./options.ts";
import { cutTrace, selectSteps, type Selection } from "./selection.ts";
import {
  columnsOf,
  columnWidth,
  formatMs,
  printable,
  printableLines,
  titleColumnWidth,
  wrap,
  wrapLines,
} from "./text.ts";

export const rowHeight = 26;
export const lineHeight = 15;

const margin = 16;
const titleHeight = 24;
const headHeight = 30;
const machinesHeight = 22;
const columnsGap = 14;
const violationRows = 6;
// Rows and columns of what was found, where it has several lines.
const linesRows = 60;
const linesColumnsMax = 120;

/** Where everything of a diagram is, in pixels. Time goes down, a row a step; lines stand side by side. */
export interface Layout {
  readonly trace: RunTrace;
  readonly selection: Selection;
  readonly lanes: Lanes;
  readonly arrows: readonly Arrow[];
  readonly width: number;
  readonly height: number;
  /** Distance of two lanes. */
  readonly gap: number;
  /** Right ends of the columns of step numbers and times. */
  readonly numbersEnd: number;
  readonly timesEnd: number;
  /** The lines' part of the picture. */
  readonly left: number;
  readonly right: number;
  readonly headings: readonly Heading[];
  readonly legend: readonly LegendEntry[];
  /** Top of the names of lines, and of the lines themselves, and their end. */
  readonly headTop: number;
  readonly top: number;
  readonly bottom: number;
  /** The text of the violation, below its row. */
  readonly violation: ViolationBox | undefined;
  laneX(lane: number): number;
  rowY(row: number): number;
}

export interface ViolationBox {
  readonly top: number;
  readonly height: number;
  /** Rows of text. */
  readonly headline: readonly string[];
  readonly message: readonly string[];
}

/** A row of text above the lines. */
export interface Heading {
  readonly kind: "title" | "command" | "left-out";
  readonly text: string;
  readonly y: number;
}

/** Lays out the steps of a range. */
export function layOut(whole: RunTrace, range: CheckedRange): Layout {
  const trace = cutTrace(whole, range);
  const selection = selectSteps(trace, range);
  const lanes = new Lanes(trace);
  const arrows = arrowsOf(trace, selection, lanes);
  const gap = laneGap(selection, lanes, arrows);
  const numbersEnd = margin + columnWidth * widest(["step", ...selection.steps.map(({ step }) => String(step))]);
  const timesEnd =
    numbersEnd + columnsGap + columnWidth * widest(["ms", ...selection.steps.map(({ at }) => formatMs(at))]);
  const left = timesEnd + columnsGap;
  const laneCount = Math.max(1, lanes.all.length);
  const found = trace.violation === undefined ? [] : printableLines(trace.violation.message);
  const foundWidth = found.length <= 1 ? 0 : columnWidth * Math.min(linesColumnsMax, widest(found)) + 28;
  const right = Math.max(left + gap * (laneCount + 0.9), left + foundWidth, 560);
  const laneStart = left + (right - left - gap * (laneCount - 1)) / 2;
  const width = right + margin;
  const headings = layHeadings(trace, selection, width - 2 * margin);
  const legendTop = (headings.at(-1)?.y ?? 0) + 22;
  const legend = layLegend(selection.steps, arrows, { left: margin, top: legendTop, width: width - 2 * margin });
  const headTop = Math.max(legendTop, ...legend.map(({ y }) => y + 12)) + 10;
  const hasMachines = lanes.all.some(({ id, machine }) => machine !== undefined && machine !== id);
  const top = headTop + headHeight + (hasMachines ? machinesHeight : 0);
  const firstRow = top + rowHeight;
  const afterLast = firstRow + rowHeight * Math.max(1, selection.steps.length);
  const violation = layViolation(trace, found, right - left, afterLast);
  const bottom = afterLast + (violation === undefined ? 0 : violation.height);
  const ends = { width, height: bottom + margin, numbersEnd, timesEnd, left, right, headTop, top, bottom };
  return {
    ...ends,
    trace,
    selection,
    lanes,
    arrows,
    gap,
    headings,
    legend,
    violation,
    laneX: (lane) => laneStart + gap * lane,
    rowY: (row) => firstRow + rowHeight * row,
  };
}

/** Lanes are as far apart as most labels need, within bounds that depend on how many there are. */
function laneGap(selection: Selection, lanes: Lanes, arrows: readonly Arrow[]): number {
  const labels = [
    ...arrows.filter(({ kind }) => kind !== "flying").map(({ text }) => columnsOf(printable(text))),
    ...selection.steps.filter(({ kind }) => kind === "timer").map(({ text = "" }) => columnsOf(printable(text)) + 6),
  ].toSorted((one, other) => one - other);
  const most = labels[Math.floor(labels.length * 0.9)] ?? 0;
  const names = Math.max(0, ...lanes.all.map(({ id }) => columnsOf(printable(id))));
  const [least, bound] = lanes.all.length <= 6 ? [124, 200] : lanes.all.length <= 12 ? [104, 140] : [96, 110];
  return Math.min(bound, Math.max(least, Math.max(most, names) * columnWidth + 34));
}

function layHeadings(trace: RunTrace, selection: Selection, widthMax: number): Heading[] {
  const headings: Heading[] = [];
  let y = margin + 4;
  const add = (kind: Heading["kind"], text: string, columns: number, rowsMax: number): void => {
    for (const row of wrap(printable(text), columns, rowsMax)) {
      y += kind === "title" ? titleHeight - 4 : lineHeight + 1;
      headings.push({ kind, text: row, y: y - 6 });
    }
  };
  add("title", `${trace.title} · seed ${trace.seed}`, Math.floor(widthMax / titleColumnWidth), 2);
  y += 2;
  if (trace.command !== undefined) add("command", trace.command, Math.floor(widthMax / columnWidth), 3);
  const leftOut = describeLeftOut(selection.earlier, selection.later);
  if (leftOut !== undefined) add("left-out", `… ${leftOut}`, Math.floor(widthMax / columnWidth), 1);
  return headings;
}

/** The violation is seen at the last row that is shown, so that its text comes below all rows. */
function layViolation(
  { violation }: RunTrace,
  found: readonly string[],
  width: number,
  top: number,
): ViolationBox | undefined {
  if (violation === undefined) return undefined;
  const columns = Math.floor((width - 24) / columnWidth);
  const headline = wrap(describeViolation(violation), columns, 2);
  const message =
    found.length > 1 ? wrapLines(found, columns, linesRows) : wrap(found.join(""), columns, violationRows);
  return { top, height: (headline.length + message.length) * lineHeight + 14, headline, message };
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, columnsOf(text)), 0);
}
