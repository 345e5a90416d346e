import { quoted } from "../../core/quoted.ts";
import { exportPath } from "../export-path.ts";
import { choiceWords, type ChoiceMade, type ExhaustiveOptions } from "./exhaustive/index.ts";
import { numberList } from "./number-list.ts";
import type { SeedOptions } from "./run-seed.ts";

/** Something that a module may export, to be explored. */
export interface Named {
  readonly name: string;
  /** URL of the module. */
  readonly module: string;
}

/**
 * The command that repeats a run of a seed; or the call, where the command line can't find the exploration.
 *
 * @param path - how it is named, as `path#export`; it is looked for in its module where that isn't known
 */
export async function commandOfSeed(
  exploration: Named,
  seed: number,
  { steps, machines, kept = {} }: Pick<SeedOptions, "steps" | "machines" | "kept">,
  path: string | undefined,
): Promise<string> {
  const faults = kept.faults === undefined ? undefined : [...kept.faults];
  const delays = kept.delays === undefined ? undefined : [...kept.delays];
  return commandOf(
    exploration,
    path,
    [
      "--seed",
      String(seed),
      ...numberOption("--machines", machines),
      ...faultsOption(faults),
      ...(delays === undefined ? [] : ["--only-delays", numberList(delays)]),
      ...numberOption("--steps", steps),
    ],
    { seeds: 1, from: seed, steps, machines, onlyFaults: faults, onlyDelays: delays },
  );
}

/** The command that repeats one of all orders. */
export async function commandOfChoices(
  exploration: Named,
  made: {
    readonly choices: readonly ChoiceMade[];
    readonly options: ExhaustiveOptions;
    readonly machines: number | undefined;
  },
  path: string | undefined,
): Promise<string> {
  const { choices, options, machines } = made;
  return commandOf(
    exploration,
    path,
    [
      "--exhaustive",
      ...numberOption("--machines", machines),
      ...numberOption("--losses", options.losses),
      ...numberOption("--repeats", options.repeats),
      ...numberOption("--crashes", options.crashes),
      "--choices",
      choiceWords(choices),
    ],
    { exhaustive: options, machines },
  );
}

/**
 * The command that repeats a run of a flow.
 *
 * @param faults - kinds that may strike; those of the exploration where that isn't told
 */
export async function commandOfFlow(
  exploration: Named,
  seed: number,
  faults: readonly string[] | undefined,
  path: string | undefined,
): Promise<string> {
  const words = ["--seed", String(seed), ...faultsOption(faults)];
  return commandOf(exploration, path, words, { seeds: 1, from: seed, onlyFaults: faults });
}

async function commandOf(
  exploration: Named,
  path: string | undefined,
  words: readonly string[],
  call: object,
): Promise<string> {
  const found = path === undefined ? await exportPath(exploration.module, exploration, "the exploration") : { path };
  if ("why" in found && found.why !== undefined) {
    return `explore(${exploration.name}, ${JSON.stringify(call)}) (${found.why})`;
  }
  return ["npx qstream explore", ...[found.path, ...words].map(quoted)].join(" ");
}

function numberOption(option: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [option, String(value)];
}

function faultsOption(faults: readonly string[] | undefined): readonly string[] {
  return faults === undefined ? [] : ["--only-faults", faults.length === 0 ? "none" : faults.join(",")];
}
