import { QStreamError } from "../core/errors.ts";
import { jsonText } from "../core/json-text.ts";
import { nearestWord } from "../core/option-names.ts";
import { checkOneFlow, wholeNumberOr, wordsUnless } from "./option-values.ts";
import { faultKinds, survivableFaults, type FaultKind } from "../testing/simulation/index.ts";
import { parseWords } from "./parse-words.ts";
import { readSettings, type SimulateSettings } from "./simulate-settings.ts";

/** The options of `qstream simulate`, parsed and checked. */
export interface SimulateOptions {
  readonly flow: string;
  readonly args: readonly string[];
  readonly seeds: number;
  readonly from: number;
  readonly faults: readonly FaultKind[];
  readonly slots: number;
  readonly parcelObjects: number;
  readonly checkpointEveryMs: number;
  readonly attempts: number;
  /** What there are no words for. */
  readonly settings: SimulateSettings;
  readonly json: string | undefined;
  readonly trace: boolean;
  readonly help: boolean;
}

const seedMost = 2 ** 31;
const seedsDefault = 100;
const slotsDefault = 3;
const parcelObjectsDefault = 64;
const checkpointDefault = 10;
const attemptsDefault = 3;

/** Parses the words after `qstream simulate`. What is wrong with them is OPTION_INVALID. */
export function parseSimulateOptions(words: readonly string[]): SimulateOptions {
  const { values, positionals } = parse(words);
  const help = values.help === true;
  if (help && words.length > 1) return parseSimulateOptions(["--help"]);
  if (!help) checkOneFlow(positionals);
  const trace = values.trace === true;
  const seeds = wholeNumberOr("--seeds", values.seeds, trace ? 1 : seedsDefault, seedMost);
  if (trace && seeds !== 1) throw new QStreamError("OPTION_INVALID", "--trace shows one seed: leave --seeds out");
  return {
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    seeds,
    from: wholeNumberOr("--from", values.from, 1, seedMost),
    faults: values.faults === undefined ? survivableFaults : faultsOf(values.faults),
    slots: wholeNumberOr("--slots", values.slots, slotsDefault, 64),
    parcelObjects: wholeNumberOr("--parcel", values.parcel, parcelObjectsDefault, seedMost),
    checkpointEveryMs: wholeNumberOr("--checkpoint", values.checkpoint, checkpointDefault, seedMost),
    attempts: wholeNumberOr("--attempts", values.attempts, attemptsDefault, 1000),
    settings: values.settings === undefined ? {} : readSettings(values.settings),
    json: values.json,
    trace,
    help,
  };
}

/** The words that repeat one seed of what was parsed, but for the flow. */
export function repeatingWords(options: SimulateOptions, seed: number): string[] {
  const { args, faults, slots, parcelObjects, checkpointEveryMs, attempts, settings } = options;
  return [
    ...args.flatMap((arg) => ["--arg", arg]),
    ...(faults === survivableFaults ? [] : ["--faults", faults.length === 0 ? "none" : faults.join(",")]),
    ...wordsUnless("--slots", slots, slotsDefault),
    ...wordsUnless("--parcel", parcelObjects, parcelObjectsDefault),
    ...wordsUnless("--checkpoint", checkpointEveryMs, checkpointDefault),
    ...wordsUnless("--attempts", attempts, attemptsDefault),
    ...(Object.keys(settings).length === 0 ? [] : ["--settings", jsonText(settings)]),
    "--from",
    String(seed),
    "--trace",
  ];
}

function parse(words: readonly string[]) {
  return parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      arg: { type: "string", multiple: true },
      seeds: { type: "string" },
      from: { type: "string" },
      faults: { type: "string" },
      slots: { type: "string" },
      parcel: { type: "string" },
      checkpoint: { type: "string" },
      attempts: { type: "string" },
      settings: { type: "string" },
      json: { type: "string" },
      trace: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
}

function faultsOf(text: string): readonly FaultKind[] {
  if (text === "none") return [];
  if (text === "all") return faultKinds;
  const words = text.split(",").map((word) => word.trim());
  const named = words.filter((word) => word !== "");
  const alone = named.find((word) => word === "none" || word === "all");
  if (named.length === 0)
    throw wrongFaults(text, `it names none. Write all, none, or some of ${faultKinds.join(", ")}`);
  if (alone !== undefined) {
    const others = named.filter((word) => word !== alone);
    const instead = others.length === 0 ? "" : `, or --faults ${others.join(",")}`;
    throw wrongFaults(text, `${alone} stands alone: write --faults ${alone}${instead}`);
  }
  const wrong = named.find((word) => !faultKinds.some((kind) => kind === word));
  if (wrong !== undefined) {
    const nearest = nearestWord(wrong, faultKinds);
    const instead = nearest === undefined ? `There are ${faultKinds.join(", ")}` : `Did you mean ${nearest}?`;
    throw wrongFaults(text, `there is no fault ${wrong}. ${instead}`);
  }
  if (named.length < words.length) throw wrongFaults(text, `a comma too many: write --faults ${named.join(",")}`);
  return [...new Set(named)] as FaultKind[];
}

function wrongFaults(text: string, what: string): QStreamError {
  return new QStreamError("OPTION_INVALID", `--faults ${text}: ${what}`);
}
