import type { RunStep, RunTrace } from "../trace.ts";

/** The steps of a trace that are shown: the newest up to the violation, or up to the end where there is none. */
export interface Selection {
  readonly steps: readonly RunStep[];
  /** Index of the first in `trace.steps`. */
  readonly first: number;
  /** Steps left out before and after. */
  readonly earlier: number;
  readonly later: number;
  /** Index in `steps` of the one at which the violation was seen. */
  readonly violated: number | undefined;
}

/** @param stepsMax - steps that are shown at most */
export function selectSteps(trace: RunTrace, stepsMax: number): Selection {
  const { steps, violation } = trace;
  // A violation may name a step that isn't in the trace, as where an "eventually" is judged behind the last one.
  const seen = violation === undefined ? -1 : steps.findLastIndex(({ step }) => step <= violation.step);
  const end = seen === -1 ? steps.length : seen + 1;
  const first = Math.max(0, end - stepsMax);
  return {
    steps: steps.slice(first, end),
    first,
    earlier: first,
    later: steps.length - end,
    violated: seen === -1 ? undefined : seen - first,
  };
}
