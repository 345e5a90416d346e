import { QStreamError } from "../core/errors.ts";
import {
  choicesOfWords,
  numbersOf,
  type ChoiceMade,
  type ExhaustiveOptions,
  type ExploreOptions,
} from "../testing/explore/index.ts";
import { oneOf, refuseTogether, wholeNumber, wholeNumberOr } from "./option-values.ts";
import { parseWords } from "./parse-words.ts";

/** The options of `qstream explore`, parsed and checked. */
export interface ExploreCommand {
  readonly module: string;
  readonly options: ExploreOptions;
  /** How many seeds, for progress. */
  readonly seeds: number;
  /** Choices that an execution is to be repeated with. */
  readonly choices: readonly ChoiceMade[] | undefined;
  readonly json: string | undefined;
  /** States and messages are shown as long as they are. */
  readonly isWhole: boolean;
  /** How long a step may take, in milliseconds; 0: as long as it wants. */
  readonly turnMs: number;
}

const most = 2 ** 31;
const seedsDefault = 1000;
/** How long a step may take unless told, in milliseconds. */
export const turnMsDefault = 60_000;

/** Parses the words after `qstream explore`; undefined where help is asked for. What is wrong with them is OPTION_INVALID. */
export function parseExploreOptions(words: readonly string[]): ExploreCommand | undefined {
  const { values, positionals } = parse(words);
  if (values.help === true) return undefined;
  const [module = ""] = positionals;
  if (positionals.length !== 1) {
    const what =
      positionals.length === 0
        ? "which exploration? Give the path of a module"
        : `one exploration at a time, not ${positionals.join(" and ")}`;
    throw new QStreamError("OPTION_INVALID", what);
  }
  const { pictures, json, machines } = values;
  const common = {
    path: module,
    ...(pictures === undefined ? {} : { pictures }),
    ...(machines === undefined ? {} : { machines: wholeNumber("--machines", machines, 1, 1000) }),
  };
  const turn = values["turn-ms"];
  const turnMs = turn === undefined ? turnMsDefault : wholeNumber("--turn-ms", turn, 0, most);
  const shown = { module, json, isWhole: values.whole === true, turnMs };
  if (values.exhaustive === true) {
    return { ...shown, seeds: 0, ...exhaustiveOf(values, common) };
  }
  const needsAll = (["choices", "losses", "repeats", "crashes", "depth", "executions", "reduction"] as const).find(
    (name) => values[name] !== undefined,
  );
  if (needsAll !== undefined) throw new QStreamError("OPTION_INVALID", `--${needsAll} goes with --exhaustive`);
  const { options, seeds } = seedOptionsOf(values, common);
  return { ...shown, seeds, options, choices: undefined };
}

type Values = ReturnType<typeof parse>["values"];

function seedOptionsOf(values: Values, common: ExploreOptions): { options: ExploreOptions; seeds: number } {
  const { seed, steps, sizes } = values;
  const stopAt = values["stop-at"];
  refuseTogether(seed, values.seeds, "--seed is one of them, --seeds says how many: give one of the two");
  refuseTogether(seed, values.from, "--seed is one of them, --from the first of many: give one of the two");
  refuseTogether(
    sizes,
    values.machines,
    "--sizes are several numbers of machines, --machines one: give one of the two",
  );
  const onlyFaults = values["only-faults"];
  const onlyDelays = values["only-delays"];
  const seeds = seed === undefined ? wholeNumberOr("--seeds", values.seeds, seedsDefault, most) : 1;
  const options: ExploreOptions = {
    ...common,
    seeds,
    from: seed === undefined ? wholeNumberOr("--from", values.from, 1, most) : wholeNumber("--seed", seed, 0, most),
    // A seed that is named is shown as it is.
    shrinks: seed === undefined,
    ...(steps === undefined ? {} : { steps: wholeNumber("--steps", steps, 1, most) }),
    ...(stopAt === undefined ? {} : { stopAt: wholeNumber("--stop-at", stopAt, 1, most) }),
    ...(onlyFaults === undefined ? {} : { onlyFaults: faultsOf(onlyFaults) }),
    ...(onlyDelays === undefined ? {} : { onlyDelays: listOf("--only-delays", onlyDelays) }),
    ...(sizes === undefined ? {} : { sizes: listOf("--sizes", sizes) }),
  };
  return { options, seeds };
}

function exhaustiveOf(values: Values, common: ExploreOptions): Pick<ExploreCommand, "options" | "choices"> {
  const seeded = (["seed", "seeds", "from", "steps", "stop-at", "only-faults", "only-delays", "sizes"] as const).find(
    (name) => values[name] !== undefined,
  );
  if (seeded !== undefined) {
    throw new QStreamError("OPTION_INVALID", `--${seeded} is of runs of seeds, and --exhaustive has none`);
  }
  const number = (
    name: "losses" | "repeats" | "crashes" | "depth" | "executions",
    least: number,
  ): ExhaustiveOptions => {
    const value = values[name];
    return value === undefined ? {} : { [name]: wholeNumber(`--${name}`, value, least, most) };
  };
  const { reduction, choices } = values;
  const exhaustive: ExhaustiveOptions = {
    ...number("losses", 0),
    ...number("repeats", 0),
    ...number("crashes", 0),
    ...number("depth", 1),
    ...number("executions", 1),
    ...(reduction === undefined ? {} : { reduction: oneOf("--reduction", reduction, ["races", "states", "none"]) }),
  };
  const made = choices === undefined ? undefined : choicesOfWords(choices);
  if (choices !== undefined && made === undefined) {
    throw new QStreamError(
      "OPTION_INVALID",
      `--choices ${choices}: numbers with commas are wanted, as a violation names them`,
    );
  }
  return { options: { ...common, exhaustive }, choices: made };
}

/** Ids of faults, or their kinds for a flow: which of them there are, the exploration knows. */
function faultsOf(text: string): readonly string[] {
  return text === "none" ? [] : text.split(",").map((id) => id.trim());
}

function listOf(option: string, text: string): readonly number[] {
  const numbers = numbersOf(text);
  if (numbers !== undefined) return [...numbers];
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: numbers are wanted, as 3,5,9 or 4-7`);
}

function parse(words: readonly string[]) {
  return parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      seed: { type: "string" },
      steps: { type: "string" },
      "stop-at": { type: "string" },
      machines: { type: "string" },
      sizes: { type: "string" },
      "only-faults": { type: "string" },
      "only-delays": { type: "string" },
      exhaustive: { type: "boolean" },
      losses: { type: "string" },
      repeats: { type: "string" },
      crashes: { type: "string" },
      depth: { type: "string" },
      executions: { type: "string" },
      reduction: { type: "string" },
      choices: { type: "string" },
      pictures: { type: "string" },
      whole: { type: "boolean" },
      "turn-ms": { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
}
