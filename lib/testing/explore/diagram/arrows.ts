import type { RunStep, RunTrace } from "../trace.ts";
import type { Lanes } from "./lanes.ts";
import type { Selection } from "./selection.ts";

/** A message, or a copy of one, on its way. */
export interface Arrow {
  readonly id: number;
  /** `flying`: nothing says what became of it. */
  readonly kind: "delivered" | "duplicate" | "lost" | "flying";
  /** Indices of lanes. */
  readonly from: number;
  readonly to: number;
  /** Row that sent it; absent where that is before the first row. */
  readonly start: number | undefined;
  /** Row at which it was delivered or lost; absent where that isn't shown. */
  readonly end: number | undefined;
  readonly text: string;
  /** Why it was lost, or is there twice. */
  readonly reason: string | undefined;
}

/** The arrows of the steps that are shown, those that end first first; those in flight at the end come last. */
export function arrowsOf(trace: RunTrace, selection: Selection, lanes: Lanes): Arrow[] {
  const rows = new Map(selection.steps.map(({ step, line }, row) => [rowKey(step, line), row]));
  const ended = new Set<number>();
  const texts = new Map<number, string>();
  const arrows: Arrow[] = [];
  for (const [row, step] of selection.steps.entries()) {
    for (const arrow of endingIn(step, row, rows, lanes)) {
      ended.add(arrow.id);
      arrows.push(arrow);
    }
  }
  // What is delivered or lost only later has its text there.
  for (const { message, lost = [] } of trace.steps.slice(selection.first + selection.steps.length)) {
    for (const { id, text } of [...(message === undefined ? [] : [message]), ...lost]) texts.set(id, text);
  }
  for (const [row, step] of selection.steps.entries()) {
    const from = lanes.indexOf(step.line);
    for (const { id, to, text } of step.sends ?? []) {
      const target = lanes.indexOf(to);
      if (ended.has(id) || from === undefined || target === undefined) continue;
      const words = text ?? texts.get(id) ?? "";
      arrows.push({ id, kind: "flying", from, to: target, start: row, end: undefined, text: words, reason: undefined });
    }
  }
  return arrows;
}

function endingIn(step: RunStep, row: number, rows: ReadonlyMap<string, number>, lanes: Lanes): Arrow[] {
  const { message, lost = [] } = step;
  const ends = [
    ...(message === undefined ? [] : [{ ...message, to: step.line, reason: message.duplicate, isLost: false }]),
    ...lost.map((gone) => ({ ...gone, isLost: true })),
  ];
  return ends.flatMap(({ id, from, to, sentStep, text, duplicate, reason, isLost }) => {
    const [source, target] = [lanes.indexOf(from), lanes.indexOf(to)];
    if (source === undefined || target === undefined) return [];
    const kind = isLost ? "lost" : duplicate === undefined ? "delivered" : "duplicate";
    const start = rows.get(rowKey(sentStep, from));
    // A trace that has a message end before it was sent is drawn as if that had been before the first row.
    const known = start !== undefined && start <= row;
    return [{ id, kind, from: source, to: target, start: known ? start : undefined, end: row, text, reason } as const];
  });
}

function rowKey(step: number, line: string): string {
  return `${step} ${line}`;
}
