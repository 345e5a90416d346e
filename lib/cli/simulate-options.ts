import { parseArgs } from "node:util";
import { QStreamError } from "../core/errors.ts";
import { wholeNumber } from "./option-values.ts";
import { faultKinds, survivableFaults, type FaultKind } from "../testing/simulation/index.ts";

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
  readonly json: string | undefined;
  readonly trace: boolean;
  readonly help: boolean;
}

const seedMost = 2 ** 31;
const seedsDefault = 100;
const slotsDefault = 3;
const parcelObjectsDefault = 64;
const checkpointDefault = 10;

/** Parses the words after `qstream simulate`. What is wrong with them is OPTION_INVALID. */
export function parseSimulateOptions(words: readonly string[]): SimulateOptions {
  const { values, positionals } = parse(words);
  const help = values.help === true;
  if (!help && positionals.length !== 1) {
    const what = positionals.length === 0 ? "which flow? Give the path of a module" : "one flow at a time";
    throw new QStreamError("OPTION_INVALID", what);
  }
  const trace = values.trace === true;
  const whole = (name: string, text: string | undefined, otherwise: number, most: number): number =>
    text === undefined ? otherwise : wholeNumber(name, text, 1, most);
  const seeds = whole("--seeds", values.seeds, trace ? 1 : seedsDefault, seedMost);
  if (trace && seeds !== 1) throw new QStreamError("OPTION_INVALID", "--trace shows one seed: leave --seeds out");
  return {
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    seeds,
    from: whole("--from", values.from, 1, seedMost),
    faults: values.faults === undefined ? survivableFaults : faultsOf(values.faults),
    slots: whole("--slots", values.slots, slotsDefault, 64),
    parcelObjects: whole("--parcel", values.parcel, parcelObjectsDefault, seedMost),
    checkpointEveryMs: whole("--checkpoint", values.checkpoint, checkpointDefault, seedMost),
    json: values.json,
    trace,
    help,
  };
}

/** The words that repeat one seed of what was parsed, but for the flow. */
export function repeatingWords(options: SimulateOptions, seed: number): string[] {
  const { args, faults, slots, parcelObjects, checkpointEveryMs } = options;
  const differing = (name: string, value: number, otherwise: number): string[] =>
    value === otherwise ? [] : [name, String(value)];
  return [
    ...args.flatMap((arg) => ["--arg", arg]),
    ...(faults === survivableFaults ? [] : ["--faults", faults.length === 0 ? "none" : faults.join(",")]),
    ...differing("--slots", slots, slotsDefault),
    ...differing("--parcel", parcelObjects, parcelObjectsDefault),
    ...differing("--checkpoint", checkpointEveryMs, checkpointDefault),
    "--from",
    String(seed),
    "--trace",
  ];
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
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
        json: { type: "string" },
        trace: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new QStreamError("OPTION_INVALID", (error as Error).message);
  }
}

function faultsOf(text: string): readonly FaultKind[] {
  if (text === "none") return [];
  if (text === "all") return faultKinds;
  return text.split(",").map((word) => {
    const kind = faultKinds.find((known) => known === word);
    if (kind !== undefined) return kind;
    throw new QStreamError(
      "OPTION_INVALID",
      `--faults ${word}: all, none, or some of ${faultKinds.join(", ")} are wanted`,
    );
  });
}
