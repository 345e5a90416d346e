import { QStreamError } from "../../../core/errors.ts";
import type { RunStep, RunTrace } from "../trace.ts";
import type { CheckedRange } from "./options.ts";

/** The steps of a trace that are shown. */
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

/** The trace without its violation where that comes behind the last step that is shown. */
export function cutTrace(trace: RunTrace, { lastStep }: CheckedRange): RunTrace {
  const { violation, ...rest } = trace;
  return violation === undefined || violation.step <= lastStep ? trace : rest;
}

/**
 * The newest steps of a range, up to the violation.
 *
 * @throws QStreamError OPTION_INVALID where the trace has steps, and none of them is in the range
 */
export function selectSteps(trace: RunTrace, { stepsMax, firstStep, lastStep }: CheckedRange): Selection {
  const { steps, violation } = trace;
  // A violation may name a step that isn't in the trace, as where an "eventually" is judged behind the last one.
  const seen = violation === undefined ? -1 : steps.findLastIndex(({ step }) => step <= violation.step);
  const end = seen === -1 ? steps.findLastIndex(({ step }) => step <= lastStep) + 1 : seen + 1;
  const earliest = steps.findIndex(({ step }) => step >= firstStep);
  if (steps.length > 0 && (earliest === -1 || earliest >= end)) {
    throw new QStreamError("OPTION_INVALID", `no step is between firstStep ${firstStep} and lastStep ${lastStep}`, {
      advice: `The run has steps ${steps[0]?.step} to ${steps.at(-1)?.step}${violation === undefined ? "" : `, and a violation at ${violation.step}`}.`,
    });
  }
  const first = Math.max(0, earliest, end - stepsMax);
  return {
    steps: steps.slice(first, end),
    first,
    earlier: first,
    later: steps.length - end,
    violated: seen === -1 ? undefined : seen - first,
  };
}
