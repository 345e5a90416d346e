import { QStreamError } from "../../core/errors.ts";
import { formatTrace } from "./diagram/index.ts";
import type { FoundExecution } from "./exhaustive/index.ts";
import type { Exploration } from "./exploration.ts";
import type { Violation } from "./invariants.ts";
import { commandOfChoices, commandOfSeed } from "./repeating-command.ts";
import type { FailingRun } from "./shrink.ts";
import type { RunTrace } from "./trace.ts";
import { writePictures } from "./write-pictures.ts";

/** A promise that was broken, in the smallest run that was found. */
export interface FoundViolation extends Violation {
  /** The seed that broke it first, and at which step. Seed 0 is none, of a search through all orders. */
  readonly foundAt: { readonly seed: number; readonly step: number };
  readonly seed: number;
  readonly machines: number;
  /** Ids of the faults that it takes. */
  readonly faults: readonly string[];
  /** Repeats the run. */
  readonly command: string;
  /** The run, to be shown. */
  readonly trace: RunTrace;
  /** All of it for people: what was broken, the steps that lead there, and how to see them again. */
  readonly text: string;
  /** Files that were written. */
  readonly pictures: readonly string[];
}

/** The error that `explore` throws. */
export class ExplorationFailed extends QStreamError {
  readonly found: FoundViolation;

  constructor(found: FoundViolation) {
    super("EXPLORATION_FAILED", found.text, found.error === undefined ? {} : { cause: found.error });
    this.found = found;
  }
}

/** How a violation is shown. */
export interface ShownAs {
  readonly pictures?: string;
  /** How commands name the exploration. */
  readonly path?: string;
  readonly machines?: number;
}

/** What a run of a seed broke. */
export async function describeFound<System>(
  exploration: Exploration<System>,
  first: FailingRun,
  smallest: FailingRun,
  { pictures, path }: ShownAs,
): Promise<FoundViolation> {
  const { violation, run, seed, options } = smallest;
  const { machines, kept = {} } = options;
  const steps = violation.kind === "eventually" ? options.steps : violation.step;
  const repeated = { ...(steps === undefined ? {} : { steps }), ...(machines === undefined ? {} : { machines }), kept };
  const command = await commandOfSeed(exploration, seed, repeated, path);
  const foundAt = { seed: first.seed, step: first.violation.step };
  const isFirst = seed === foundAt.seed && violation.step === foundAt.step;
  return describe(exploration, {
    violation,
    foundAt,
    seed,
    machines: run.machines,
    faults: [...new Set(run.struck)],
    trace: { ...(run.trace as RunTrace), command },
    command,
    head: `${headOf(violation)}, at step ${violation.step} of seed ${seed} of ${exploration.name}`,
    before: isFirst ? "" : `found at step ${foundAt.step} of seed ${foundAt.seed}, and made smaller`,
    pictures,
  });
}

/** What one of all orders broke. */
export async function describeExecution<System>(
  exploration: Exploration<System>,
  { violation, choices, options, trace, machines }: FoundExecution,
  { pictures, path, machines: given }: ShownAs,
): Promise<FoundViolation> {
  const command = await commandOfChoices(exploration, { choices, options, machines: given }, path);
  const { step } = violation;
  return describe(exploration, {
    violation,
    foundAt: { seed: 0, step },
    seed: 0,
    machines,
    faults: choices.filter(({ alternative }) => alternative !== "come").map(({ alternative }) => alternative),
    trace: { ...trace, command },
    command,
    head: `${headOf(violation)}, at step ${step} of one of the orders of ${exploration.name}`,
    before: "",
    pictures,
  });
}

async function describe<System>(
  exploration: Exploration<System>,
  found: Pick<FoundViolation, "foundAt" | "seed" | "machines" | "faults" | "trace" | "command"> & {
    readonly violation: Violation;
    readonly head: string;
    readonly before: string;
    readonly pictures: string | undefined;
  },
): Promise<FoundViolation> {
  const { violation, head, before, pictures, ...rest } = found;
  const { files, why } = await picturesOf(pictures, exploration.name, found.trace);
  const whole = exploration.options.show?.whole === true;
  const text = [
    head,
    ...violation.message.split("\n").map((line) => `  ${line}`),
    ...(before === "" ? [] : [`  (${before})`]),
    "",
    formatTrace(found.trace, { whole }).trimEnd(),
    ...(files.length === 0 ? [] : ["", `pictures: ${files.join(", ")}`]),
    ...(why === undefined ? [] : ["", `no pictures: ${why}`]),
  ].join("\n");
  return { ...violation, ...rest, text, pictures: files };
}

/** Writes pictures. Where that can't be, what they would show is told nevertheless, and why there are none. */
async function picturesOf(
  folder: string | undefined,
  name: string,
  trace: RunTrace,
): Promise<{ readonly files: readonly string[]; readonly why?: string }> {
  if (folder === undefined) return { files: [] };
  try {
    return { files: await writePictures(folder, name, trace) };
  } catch (error) {
    if (!(error instanceof QStreamError)) throw error;
    return { files: [], why: error.message };
  }
}

/** What was broken, in words. */
export function headOf({ invariant, kind }: Pick<Violation, "invariant" | "kind">): string {
  switch (kind) {
    case "always":
      return `"${invariant}" doesn't always hold`;
    case "never":
      return `"${invariant}" happens`;
    case "eventually":
      return `"${invariant}" doesn't come to hold`;
  }
}
