import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import { checkWhole } from "./check-exploration.ts";
import { checkExploreOptions } from "./check-explore-options.ts";
import type { Exploration } from "./exploration.ts";
import { inTurn } from "./in-turn.ts";
import { commandOfSeed } from "./repeating-command.ts";
import { NamedFaults } from "./named-faults.ts";
import { runSeed, type SeedOptions } from "./run-seed.ts";
import { seedOptionsOf } from "./seed-options.ts";
import type { RunTrace } from "./trace.ts";

/** Which run is recorded. */
export interface RecordRunOptions {
  readonly seed: number;
  /** Steps of the run; the exploration's unless told. What has to hold eventually may take more. */
  readonly steps?: number;
  /** How many machines, instead of the exploration's number. */
  readonly machines?: number;
  /** Of the seed's faults, only these strike: ids as a violation names them. */
  readonly onlyFaults?: readonly string[];
  /** Numbers of the messages that take as long as the seed says; all others take the least time. */
  readonly onlyDelays?: readonly number[];
  /** How the command that repeats the run names the exploration, as `path#export`. Default: it is looked for in its module. */
  readonly path?: string;
}

const names = namesOf<RecordRunOptions>({
  seed: true,
  steps: true,
  machines: true,
  onlyFaults: true,
  onlyDelays: true,
  path: true,
});

/**
 * Runs one seed, and returns what happened step by step, for pictures of it: `spaceTimeSvg`, `spaceTimeHtml` and `formatTrace`. What the
 * run breaks, if it does, is in the trace.
 *
 * @param options - the seed, and what of it is changed
 * @throws QStreamError OPTION_INVALID for an option that can't be
 * @example
 * const trace = await recordRun(election, { seed: 7, steps: 60 });
 * await writeFile("run.svg", spaceTimeSvg(trace));
 */
export async function recordRun<System>(
  exploration: Exploration<System>,
  options: RecordRunOptions,
): Promise<RunTrace> {
  checkOptionNames("recordRun()", options, names);
  const { seed, path, ...rest } = options;
  checkWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  checkExploreOptions(exploration, rest);
  return inTurn(() => record(exploration, seed, seedOptionsOf(rest), path));
}

/** The run of a seed, with the command that repeats it. */
export async function record<System>(
  exploration: Exploration<System>,
  seed: number,
  options: SeedOptions,
  path: string | undefined,
): Promise<RunTrace> {
  const run = await runSeed(exploration, seed, { ...options, recorded: true });
  const named = new NamedFaults(options.kept?.faults);
  named.ran(run);
  named.check(`seed ${seed}`);
  return { ...(run.trace as RunTrace), command: await commandOfSeed(exploration, seed, options, path) };
}
