import { QStreamError } from "../../../core/errors.ts";
import type { Exploration } from "../exploration.ts";
import { ChoiceRun, type Alternative, type ChoiceRunOptions } from "./choice-run.ts";

/** One of those that could be gone on with, and what goes wrong with it. */
type Chosen = { readonly index: number; readonly alternative: Alternative };

const doing: Readonly<Record<Alternative, string>> = {
  come: "comes",
  lose: "gets lost",
  repeat: "comes twice",
  crash: "finds a machine that crashes",
};

/**
 * Repeats an execution.
 *
 * @throws QStreamError OPTION_INVALID for choices that can't be made, as they are of another exploration or of one that was changed
 */
export async function repeatChoices<System>(
  exploration: Exploration<System>,
  choices: readonly Chosen[],
  options: ChoiceRunOptions,
): Promise<ChoiceRun<System>> {
  const run = await ChoiceRun.begin(exploration, options);
  for (const [number, chosen] of choices.entries()) {
    if (run.violation !== undefined) break;
    const process = processOf(run, chosen, number, choices.length);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await run.perform(process, chosen.alternative, number);
  }
  if (run.violation === undefined && run.enabled().length === 0) run.finish();
  return run;
}

function processOf<System>(
  run: ChoiceRun<System>,
  { index, alternative }: Chosen,
  number: number,
  count: number,
): string {
  const enabled = run.enabled();
  const process = enabled[index];
  if (process !== undefined && run.alternatives(process).includes(alternative)) return process;
  const why =
    process === undefined
      ? `is ${index}, and ${enabled.length} could go on there`
      : `is that ${index} ${doing[alternative]}, which it can't there`;
  throw new QStreamError("OPTION_INVALID", `choice ${number + 1} of ${count} ${why}`, {
    advice: "Choices are those of one exploration, with the same faults and machines: look for a violation again",
  });
}
