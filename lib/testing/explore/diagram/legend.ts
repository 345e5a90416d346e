import type { RunStep, RunStepKind } from "../trace.ts";
import type { Arrow } from "./arrows.ts";
import { columnsOf, columnWidth } from "./text.ts";

/** One sign of a diagram with its meaning, and where they stand. */
export interface LegendEntry {
  readonly sign: RunStepKind | Arrow["kind"];
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

interface LegendPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

const rowHeight = 20;

/** Width of an entry's sign, with the blank behind it. */
export const signWidth = 34;

const meanings: Readonly<Record<LegendEntry["sign"], string>> = {
  delivered: "message",
  duplicate: "its copy",
  lost: "lost",
  flying: "in flight at the end",
  deliver: "delivery",
  timer: "timer",
  start: "start",
  stop: "stop",
  crash: "crash",
  restart: "restart",
  partition: "network parted",
  heal: "network healed",
  note: "note",
};

/** The signs that a diagram uses, in rows. */
export function layLegend(steps: readonly RunStep[], arrows: readonly Arrow[], place: LegendPlace): LegendEntry[] {
  const used = new Set<LegendEntry["sign"]>([...arrows.map(({ kind }) => kind), ...steps.map(({ kind }) => kind)]);
  const entries: LegendEntry[] = [];
  let [x, y] = [place.left, place.top];
  for (const [sign, text] of Object.entries(meanings) as [LegendEntry["sign"], string][]) {
    if (!used.has(sign)) continue;
    const width = signWidth + columnsOf(text) * columnWidth + 14;
    if (x > place.left && x + width > place.left + place.width) [x, y] = [place.left, y + rowHeight];
    entries.push({ sign, text, x, y });
    x += width;
  }
  return entries;
}
