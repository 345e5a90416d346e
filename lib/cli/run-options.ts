import { parseArgs } from "node:util";
import { QStreamError } from "../core/errors.ts";
import { storeOf } from "../flow/session-lineage.ts";

/** The options of `qstream run`, parsed and checked. */
export interface RunCommandOptions {
  readonly flow: string;
  readonly args: readonly string[];
  readonly slots: number | undefined;
  readonly isolation: "thread" | "process" | "none";
  readonly memoryBytes: number | undefined;
  /** Milliseconds that a turn of a slot may take; 0 for no limit. */
  readonly turnMs: number | undefined;
  /** Where lineage and checkpoints are kept; "none" for nowhere. */
  readonly store: string;
  /** Where large checkpoints are kept; undefined for where the store keeps all it has. */
  readonly checkpoints: string | undefined;
  /** An execution to go on with. */
  readonly resume: string | undefined;
  /** Goes on though the code has changed. */
  readonly upgrade: boolean;
  /** Which part of the tasks is run twice; true for the default. */
  readonly verifyReplay: true | { readonly share: number } | undefined;
  readonly json: string | undefined;
  readonly explain: "text" | "mermaid" | "dot" | undefined;
  readonly quiet: boolean;
  readonly help: boolean;
}

const turnMsMost = 2 ** 31;
const pictures = ["text", "mermaid", "dot"] as const;

/** Parses the words after `qstream run`. What is wrong with them is OPTION_INVALID. */
export function parseRunOptions(words: readonly string[]): RunCommandOptions {
  const { values, positionals } = parse(words);
  const help = values.help === true;
  if (!help && positionals.length !== 1) {
    throw new QStreamError(
      "OPTION_INVALID",
      positionals.length === 0 ? "which flow? Give the path of a module" : severalFlows(positionals),
    );
  }
  const isolation = oneOf("--isolation", values.isolation ?? "thread", ["thread", "process", "none"]);
  refuseTogether(
    values.json,
    values.explain,
    "--json has results, and --explain doesn't run the flow: give one of them",
  );
  refuseTogether(
    values.memory,
    isolation === "none" || undefined,
    "--memory limits slots, and with --isolation none there are none",
  );
  refuseTogether(
    values["turn-ms"],
    isolation === "none" || undefined,
    "--turn-ms watches slots, and with --isolation none there are none",
  );
  refuseTogether(
    values.resume,
    values.arg,
    "--resume goes on with the arguments that the execution was started with: leave --arg out",
  );
  refuseTogether(values.resume, values.explain, "--resume goes on with a run, and --explain doesn't run the flow");
  if (values.upgrade === true && values.resume === undefined) {
    throw new QStreamError("OPTION_INVALID", "--upgrade says that --resume may go on with other code");
  }
  return {
    store: storeOf({ store: values.store, isolation }),
    checkpoints: values.checkpoints,
    resume: values.resume,
    upgrade: values.upgrade === true,
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    slots: values.slots === undefined ? undefined : wholeNumber("--slots", values.slots, 1, 1024),
    isolation,
    memoryBytes: values.memory === undefined ? undefined : parseBytes(values.memory),
    turnMs: values["turn-ms"] === undefined ? undefined : wholeNumber("--turn-ms", values["turn-ms"], 0, turnMsMost),
    verifyReplay: values["verify-replay"] === undefined ? undefined : parseShare(values["verify-replay"]),
    json: values.json,
    explain: values.explain === undefined ? undefined : oneOf("--explain", values.explain, pictures),
    quiet: values.quiet === true,
    help,
  };
}

function parse(words: readonly string[]) {
  try {
    // `--explain` alone means text; parseArgs has no options with an optional value.
    return parseArgs({
      args: withShare(words.map((word) => (word === "--explain" ? "--explain=text" : word))),
      allowPositionals: true,
      options: {
        arg: { type: "string", multiple: true },
        slots: { type: "string" },
        isolation: { type: "string" },
        memory: { type: "string" },
        "turn-ms": { type: "string" },
        store: { type: "string" },
        checkpoints: { type: "string" },
        "verify-replay": { type: "string" },
        resume: { type: "string" },
        upgrade: { type: "boolean" },
        json: { type: "string" },
        explain: { type: "string" },
        quiet: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new QStreamError("OPTION_INVALID", (error as Error).message);
  }
}

/** The share behind --verify-replay may be left out; a number that follows is one. */
function withShare(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    if (joined.at(-1) === "--verify-replay=sample" && isNumber(word))
      joined[joined.length - 1] = `--verify-replay=${word}`;
    else joined.push(word === "--verify-replay" ? "--verify-replay=sample" : word);
  }
  return joined;
}

function isNumber(word: string): boolean {
  return /^[\d.]+$/u.test(word);
}

function parseShare(text: string): true | { readonly share: number } {
  if (text === "sample") return true;
  const share = isNumber(text) ? Number(text) : NaN;
  if (share > 0 && share <= 1) return { share };
  throw new QStreamError(
    "OPTION_INVALID",
    `--verify-replay ${text}: a part of all tasks is wanted, above 0 and up to 1, or nothing for one of twenty`,
  );
}

function severalFlows(positionals: readonly string[]): string {
  const picture = positionals.find((word) => pictures.some((known) => known === word));
  const hint = picture === undefined ? "" : `; for a picture write --explain=${picture}`;
  return `one flow at a time, not ${positionals.join(" and ")}${hint}`;
}

function refuseTogether(first: unknown, second: unknown, what: string): void {
  if (first !== undefined && second !== undefined) throw new QStreamError("OPTION_INVALID", what);
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: a whole number from ${least} to ${most} is wanted`);
}

function oneOf<const T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: one of ${choices.join(", ")} is wanted`);
}

const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["KIB", 2 ** 10],
  ["MIB", 2 ** 20],
  ["GIB", 2 ** 30],
]);

function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  const unit = units.get((match?.[2] ?? "?").toUpperCase());
  const bytes = match === null || unit === undefined ? 0 : Math.round(Number(match[1]) * unit);
  if (bytes >= 16 * 2 ** 20) return bytes;
  throw new QStreamError(
    "OPTION_INVALID",
    `--memory ${text}: at least 16 MiB are wanted, written like 512MB, 2GB or 536870912`,
  );
}
