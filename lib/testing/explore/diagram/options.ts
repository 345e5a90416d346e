import { QStreamError } from "../../../core/errors.ts";
import type { DiagramTheme } from "./palette.ts";

export interface DiagramOptions {
  /** Steps that are shown at most: the newest up to the violation, or up to the end where there is none. */
  readonly stepsMax?: number;
  /** Colours. Default "auto": light or dark, as the reader's system prefers. */
  readonly theme?: DiagramTheme;
}

const themes: readonly DiagramTheme[] = ["auto", "light", "dark"];

/** Options with their defaults. Throws OPTION_INVALID for a value that can't be. */
export function checkDiagramOptions(options: DiagramOptions, stepsMaxDefault: number): Required<DiagramOptions> {
  const { stepsMax = stepsMaxDefault, theme = "auto" } = options;
  if (!themes.includes(theme)) {
    throw new QStreamError("OPTION_INVALID", `theme is ${JSON.stringify(theme)}, which is none`, {
      advice: `Give one of ${themes.join(", ")}.`,
    });
  }
  return { stepsMax: checkCount("stepsMax", stepsMax), theme };
}

/** A whole number of at least 1. Throws OPTION_INVALID for anything else. */
export function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new QStreamError("OPTION_INVALID", `${name} is ${String(value)}`, {
    advice: "Give a whole number of at least 1.",
  });
}
