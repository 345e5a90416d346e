import { QStreamError } from "../../../core/errors.ts";
import type { DiagramTheme } from "./palette.ts";

/** Which steps of a run are shown. */
export interface StepRange {
  /** Steps that are shown at most: the newest up to the violation, or up to the end where there is none. */
  readonly stepsMax?: number;
  /** Number of the first step that is shown. Default: the first. */
  readonly firstStep?: number;
  /** Number of the last step that is shown; a violation behind it isn't. Default: that of the violation, or the last. */
  readonly lastStep?: number;
}

export interface DiagramOptions extends StepRange {
  /** Colours. Default "auto": light or dark, as the reader's system prefers. */
  readonly theme?: DiagramTheme;
}

const themes: readonly DiagramTheme[] = ["auto", "light", "dark"];

/** Options with their defaults. Throws OPTION_INVALID for a value that can't be. */
export function checkDiagramOptions(
  options: DiagramOptions,
  stepsMaxDefault: number,
): CheckedRange & { readonly theme: DiagramTheme } {
  const { theme = "auto" } = options;
  if (!themes.includes(theme)) {
    throw new QStreamError("OPTION_INVALID", `theme is ${JSON.stringify(theme)}, which is none`, {
      advice: `Give one of ${themes.join(", ")}.`,
    });
  }
  return { ...checkStepRange(options, stepsMaxDefault), theme };
}

/** A range of steps with its ends, from 0 to Infinity. */
export type CheckedRange = Required<StepRange>;

/** Throws OPTION_INVALID for a range that can't be. */
export function checkStepRange({ stepsMax, firstStep, lastStep }: StepRange, stepsMaxDefault: number): CheckedRange {
  const range = {
    firstStep: checkStep("firstStep", firstStep, 0),
    lastStep: checkStep("lastStep", lastStep, Infinity),
  };
  if (range.firstStep > range.lastStep) {
    throw new QStreamError("OPTION_INVALID", `firstStep is ${range.firstStep}, and lastStep is ${range.lastStep}`, {
      advice: "Give numbers of steps, the smaller one first.",
    });
  }
  return { stepsMax: checkCount("stepsMax", stepsMax ?? stepsMaxDefault), ...range };
}

function checkStep(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new QStreamError("OPTION_INVALID", `${name} is ${String(value)}`, { advice: "Give the number of a step." });
}

/** A whole number of at least 1. Throws OPTION_INVALID for anything else. */
export function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new QStreamError("OPTION_INVALID", `${name} is ${String(value)}`, {
    advice: "Give a whole number of at least 1.",
  });
}
