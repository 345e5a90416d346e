import type { RunStep, RunTrace } from "../trace.ts";
import type { Lanes } from "./lanes.ts";
import { lifeAfter } from "./lives.ts";
import type { Selection } from "./selection.ts";
import { printable } from "./text.ts";

/** What the page's script is given; indices of steps are those within `steps`. */
export interface PageData {
  /** Ids of lines. */
  readonly lanes: readonly string[];
  readonly steps: readonly PageStep[];
  /** What each line was before the first step that is shown. */
  readonly before: readonly PageLine[];
  /** Index of the step at which the violation was seen. */
  readonly violated?: number;
}

export interface PageLine {
  readonly state?: string;
  readonly life?: "alive" | "crashed" | "stopped";
}

export interface PageStep extends PageLine {
  /** Number of the step. */
  readonly step: number;
  /** Lanes whose step it is. */
  readonly lanes: readonly number[];
  /** Lanes that it has to do with: also those that it got something from, or sent something. */
  readonly touches: readonly number[];
}

/** Data of the steps that a page shows. */
export function pageDataOf(trace: RunTrace, selection: Selection, lanes: Lanes): PageData {
  return {
    lanes: lanes.all.map(({ id }) => printable(id)),
    steps: selection.steps.map((step) => pageStep(step, lanes)),
    before: linesBefore(trace.steps.slice(0, selection.first), lanes),
    ...(selection.violated === undefined || trace.violation === undefined ? {} : { violated: selection.violated }),
  };
}

function linesBefore(steps: readonly RunStep[], lanes: Lanes): PageLine[] {
  const lines: PageLine[] = lanes.all.map(() => ({}));
  for (const { line, kind, state } of steps) {
    const life = lifeAfter[kind];
    if (state === undefined && life === undefined) continue;
    for (const lane of lanes.meantBy(line)) {
      lines[lane] = {
        ...lines[lane],
        ...(state === undefined ? {} : { state: printable(state) }),
        ...(life === undefined ? {} : { life }),
      };
    }
  }
  return lines;
}

function pageStep(step: RunStep, lanes: Lanes): PageStep {
  const { message, sends = [], lost = [], state } = step;
  const own = lanes.meantBy(step.line);
  const others = [
    ...(message === undefined ? [] : [message.from]),
    ...sends.map(({ to }) => to),
    ...lost.flatMap(({ from, to }) => [from, to]),
    ...(step.groups ?? []).flat(),
  ].flatMap((id) => lanes.meantBy(id));
  const life = lifeAfter[step.kind];
  return {
    step: step.step,
    lanes: own,
    touches: [...new Set([...own, ...others])],
    ...(state === undefined ? {} : { state: printable(state) }),
    ...(life === undefined ? {} : { life }),
  };
}
