// Where labels stand. A label is put where it overlaps no other; where there is no such place, it is left out: what it would
// say is also in the title of its step.

import type { RunStep } from "../trace.ts";
import { describeSides } from "./describe.ts";
import { placeArrows, roomAround, type PlacedArrow } from "./geometry.ts";
import { rowHeight, type Layout } from "./layout.ts";
import { columnsOf, columnWidth, printable, shorten } from "./text.ts";

/** The area that a label takes, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A label: its text from `x` on, on the baseline `baseline`. */
export interface Label {
  readonly kind: RunStep["kind"] | "duplicate" | "lost";
  /** Row of the step that it belongs to. */
  readonly row: number;
  readonly text: string;
  readonly x: number;
  readonly baseline: number;
  readonly box: Box;
}

/** The labels of a diagram: those of events first, then those of what was lost, as far as there is room. */
export function placeLabels(layout: Layout, arrows: readonly PlacedArrow[] = placeArrows(layout)): Label[] {
  const board = new Board();
  for (const { kind, x2, y2 } of arrows) {
    if (kind === "lost") board.block({ x: x2 - 6, y: y2 - 6, width: 12, height: 12 });
  }
  const incoming = new Map(
    arrows.flatMap((arrow) => (arrow.end === undefined || arrow.kind === "lost" ? [] : [[arrow.end, arrow]])),
  );
  for (const [row, step] of layout.selection.steps.entries()) {
    const [lane] = layout.lanes.meantBy(step.line);
    const text = eventText(step);
    if (text === "") continue;
    const isWide = lane === undefined || step.kind === "partition" || step.kind === "heal";
    if (isWide) board.put(wideLabel(layout, row, step.kind, text));
    else for (const label of besideLane(layout, row, step, lane, text, incoming.get(row))) if (board.put(label)) break;
    const note = noteText(step);
    if (note === "" || lane === undefined) continue;
    const noted: RunStep = { ...step, kind: "note" };
    for (const label of besideLane(layout, row, noted, lane, note, undefined)) if (board.put(label)) break;
  }
  for (const arrow of arrows) {
    if (arrow.kind !== "lost") continue;
    for (const label of besideCross(layout, arrow)) if (board.put(label)) break;
  }
  return board.labels;
}

/** True if two areas share more than an edge. */
export function overlap(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

const labelHeight = 13;
/** Of it above the baseline. */
const labelRise = 10;
const columnsMin = 6;
const laneBlank = 10;

/** Labels so far, found by where they are. */
class Board {
  readonly labels: Label[] = [];
  readonly #bands = new Map<number, Box[]>();

  /** Puts a label where it is, if nothing is there: says if it did. */
  put(label: Label | undefined): boolean {
    if (label === undefined) return false;
    if (this.#bandsOf(label.box).some((boxes) => boxes.some((box) => overlap(box, label.box)))) return false;
    this.block(label.box);
    this.labels.push(label);
    return true;
  }

  /** Keeps an area free of labels. */
  block(area: Box): void {
    for (const boxes of this.#bandsOf(area)) boxes.push(area);
  }

  #bandsOf({ y, height }: Box): Box[][] {
    const bands: Box[][] = [];
    for (let band = Math.floor(y / rowHeight); band <= Math.floor((y + height) / rowHeight); band++) {
      const boxes = this.#bands.get(band) ?? [];
      this.#bands.set(band, boxes);
      bands.push(boxes);
    }
    return bands;
  }
}

function eventText(step: RunStep): string {
  const text = printable(step.text ?? "");
  switch (step.kind) {
    case "deliver":
      return step.message === undefined ? text : printable(step.message.text);
    case "timer":
      return text === "" ? "timer" : text;
    case "partition":
      return `parted: ${describeSides(step)}${text === "" ? "" : ` (${text})`}`;
    case "heal":
      return text === "" ? "healed" : text;
    case "note":
      return text;
    case "start":
    case "stop":
    case "crash":
    case "restart":
      return text === "" ? step.kind : `${step.kind}: ${text}`;
  }
}

/** What was noted at a step that has another text of its own. */
function noteText({ kind, message, text = "" }: RunStep): string {
  return kind === "deliver" && message !== undefined ? printable(text) : "";
}

/** Above the row, on the side from which no message comes; else on the other. */
function besideLane(
  layout: Layout,
  row: number,
  step: RunStep,
  lane: number,
  text: string,
  incoming: PlacedArrow | undefined,
): (Label | undefined)[] {
  const x = layout.laneX(lane);
  const baseline = layout.rowY(row) - 6;
  const kind = incoming?.kind === "duplicate" ? "duplicate" : step.kind;
  const room = roomAround(layout, x);
  const behind = labelIn({ kind, row, text, from: x + laneBlank, to: x + room.behind - laneBlank, baseline });
  const before = labelIn({
    kind,
    row,
    text,
    from: x - room.before + laneBlank,
    to: x - laneBlank,
    baseline,
    end: true,
  });
  // A message to itself comes in an arc behind the line.
  return incoming !== undefined && (incoming.x1 > x || incoming.from === incoming.to)
    ? [before, behind]
    : [behind, before];
}

/** Across all lanes, in a row that has no event of a line. */
function wideLabel(layout: Layout, row: number, kind: Label["kind"], text: string): Label | undefined {
  const from = layout.left + 4;
  return labelIn({ kind, row, text, from, to: layout.right - 4, baseline: layout.rowY(row) - 6 });
}

function besideCross(layout: Layout, arrow: PlacedArrow): (Label | undefined)[] {
  const { x2, y2, end = 0 } = arrow;
  const text = printable([arrow.text, arrow.reason === undefined ? "" : `(${arrow.reason})`].join(" "));
  const room = roomAround(layout, x2);
  const span = { kind: "lost", row: end, text } as const;
  const [first, last] = [x2 - room.before + laneBlank, x2 + room.behind - laneBlank];
  const behind = labelIn({ ...span, from: x2 + 9, to: last, baseline: y2 + 4 });
  const before = labelIn({ ...span, from: first, to: x2 - 9, baseline: y2 + 4, end: true });
  const sides = arrow.x1 > x2 ? [before, behind] : [behind, before];
  // Where more can be read comes first, then the side on which the message's own line isn't.
  const byLength = sides.toSorted((one, other) => (other?.text.length ?? 0) - (one?.text.length ?? 0));
  const below = y2 + 18;
  // Below the last row is where the lines end.
  if (below + labelHeight - labelRise >= layout.bottom) return byLength;
  return [...byLength, labelIn({ ...span, from: first, to: last, baseline: below })];
}

interface Span {
  readonly kind: Label["kind"];
  readonly row: number;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly baseline: number;
  /** Stands at the end of the span, not at its beginning. */
  readonly end?: boolean;
}

/** A label in a span, shortened to it; nothing where it would be too short to say anything. */
function labelIn({ kind, row, text, from, to, baseline, end = false }: Span): Label | undefined {
  const columns = Math.floor((to - from) / columnWidth);
  const shown = shorten(text, columns);
  if (shown === "" || (shown !== text && columnsOf(shown) < columnsMin)) return undefined;
  const width = columnsOf(shown) * columnWidth;
  const x = end ? to - width : from;
  return { kind, row, text: shown, x, baseline, box: { x, y: baseline - labelRise, width, height: labelHeight } };
}
