import { QStreamError } from "../core/errors.ts";
import type { ClusterOptions } from "../cluster/cluster-session.ts";
import { checkPlaces } from "../flow/check-options.ts";
import { storeOf } from "../flow/session-lineage.ts";
import { clientOptions, parseCluster, securityOptions } from "./cluster-options.ts";
import { checkNamed, checkOneFlow, memoryBytes, oneOf, refuseTogether, wholeNumber } from "./option-values.ts";
import { parseWords } from "./parse-words.ts";

/** The options of `qstream run`, parsed and checked. */
export interface RunCommandOptions {
  readonly flow: string;
  readonly args: readonly string[];
  readonly slots: number | undefined;
  readonly isolation: "thread" | "process" | "none";
  readonly memoryBytes: number | undefined;
  /** Milliseconds that a turn of a slot may take; 0 for no limit. */
  readonly turnMs: number | undefined;
  /** Milliseconds for which a process may show no sign of life. */
  readonly leaseMs: number | undefined;
  /** Where lineage and checkpoints are kept; "none": they aren't. */
  readonly store: string;
  /** Where large checkpoints are kept; undefined for where the store keeps all it has. */
  readonly checkpoints: string | undefined;
  /** Milliseconds between two checkpoints of a channel. */
  readonly checkpointEveryMs: number | undefined;
  /** How often a task may fail. */
  readonly attempts: number | undefined;
  /** Milliseconds for which a store that is away is waited for. */
  readonly storeWaitMs: number | undefined;
  /** An execution to go on with. */
  readonly resume: string | undefined;
  /** Goes on though the code has changed. */
  readonly upgrade: boolean;
  /** Goes on with other numbers of channels: of the steps named, or, with true, of all as a fresh run would have. */
  readonly rescale: true | Readonly<Record<string, number>> | undefined;
  /** Which part of the tasks is run twice; true for the default. */
  readonly verifyReplay: true | { readonly share: number } | undefined;
  readonly json: string | undefined;
  readonly explain: "text" | "mermaid" | "dot" | undefined;
  readonly quiet: boolean;
  /** The cluster that the flow is submitted to; undefined for this machine. */
  readonly cluster: ClusterOptions | undefined;
  /** Doesn't wait for the execution, which goes on without its client. */
  readonly detach: boolean;
  readonly help: boolean;
}

const millisecondsMost = 2 ** 31;
const pictures = ["text", "mermaid", "dot"] as const;
const isolations = ["thread", "process", "none"] as const;

type Values = ReturnType<typeof parse>["values"];

/** Parses the words after `qstream run`. What is wrong with them is OPTION_INVALID. */
export function parseRunOptions(words: readonly string[]): RunCommandOptions {
  const { values, positionals } = parse(words);
  const help = values.help === true;
  // Whoever asks for help is told, whatever else is wrong.
  if (help && words.length > 1) return parseRunOptions(["--help"]);
  const isolation = oneOf("--isolation", values.isolation ?? "thread", isolations);
  const { checkpoints } = values;
  const store = storeOf({ store: values.store, isolation });
  if (!help) {
    checkOneFlow(positionals, pictureHint(positionals));
    checkNamed(values.store, () => checkPlaces({ store, ...(checkpoints === undefined ? {} : { checkpoints }) }));
  }
  refuseContradictions(values, isolation);
  if (store === "none" && values.cluster === undefined) refuseWithoutStore(values);
  const detach = values.detach === true;
  return {
    ...settingsOf(values),
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    isolation,
    store,
    checkpoints,
    resume: values.resume,
    upgrade: values.upgrade === true,
    json: values.json,
    quiet: values.quiet === true,
    cluster: values.cluster === undefined ? undefined : { ...parseCluster(values), detach },
    detach,
    help,
  };
}

/** The options that have a form of their own. */
function settingsOf(values: Values) {
  const { slots, memory, explain, rescale, attempts } = values;
  const milliseconds = (name: "turn-ms" | "lease-ms" | "checkpoint-every-ms" | "store-wait-ms", least: number) => {
    const text = values[name];
    return text === undefined ? undefined : wholeNumber(`--${name}`, text, least, millisecondsMost);
  };
  const share = values["verify-replay"];
  return {
    slots: slots === undefined ? undefined : wholeNumber("--slots", slots, 1, 1024),
    memoryBytes: memory === undefined ? undefined : memoryBytes("--memory", memory),
    turnMs: milliseconds("turn-ms", 0),
    leaseMs: milliseconds("lease-ms", 1000),
    checkpointEveryMs: milliseconds("checkpoint-every-ms", 1),
    storeWaitMs: milliseconds("store-wait-ms", 0),
    attempts: attempts === undefined ? undefined : wholeNumber("--attempts", attempts, 1, 1000),
    verifyReplay: share === undefined ? undefined : parseShare(share),
    rescale: rescale === undefined ? undefined : parseRescale(rescale),
    explain: explain === undefined ? undefined : oneOf("--explain", explain, pictures),
  };
}

function refuseContradictions(values: Values, isolation: string): void {
  const { json, explain, memory, resume, arg, upgrade, rescale } = values;
  const alone = isolation === "none" || undefined;
  refuseTogether(json, explain, "--json has results, and --explain doesn't run the flow: give one of them");
  refuseTogether(memory, alone, "--memory limits slots, and with --isolation none there are none");
  refuseTogether(values["turn-ms"], alone, "--turn-ms watches slots, and with --isolation none there are none");
  const threads = isolation === "process" || values.cluster !== undefined ? undefined : true;
  refuseTogether(values["lease-ms"], threads, "--lease-ms watches processes: give --isolation process");
  const started = "--resume goes on with the arguments that the execution was started with: leave --arg out";
  refuseTogether(resume, arg, started);
  const { store } = values;
  const unkept = store === "none" || store === "memory" || undefined;
  refuseTogether(
    resume,
    unkept,
    `--resume goes on with what a store keeps, and "${store}" keeps nothing: name another`,
  );
  refuseTogether(resume, explain, "--resume goes on with a run, and --explain doesn't run the flow");
  if (values.cluster === undefined) refuseWithoutCluster(values);
  else refuseOnCluster(values);
  if (upgrade === true && resume === undefined) {
    throw new QStreamError("OPTION_INVALID", "--upgrade says that --resume may go on with other code");
  }
  if (rescale !== undefined && resume === undefined) {
    throw new QStreamError(
      "OPTION_INVALID",
      "--rescale says with how many channels --resume goes on: name an execution",
    );
  }
}

const ofStores = ["attempts", "checkpoint-every-ms", "store-wait-ms"] as const;

function refuseWithoutStore(values: Values): void {
  const given = ofStores.find((name) => values[name] !== undefined);
  if (given === undefined) return;
  throw new QStreamError(
    "OPTION_INVALID",
    `--${given} is for runs with a store, and this one has none: give --store URL`,
  );
}

const ofClusters = ["detach", ...Object.keys(securityOptions)] as (keyof Values)[];

function refuseWithoutCluster(values: Values): void {
  const given = ofClusters.find((name) => values[name] !== undefined);
  if (given === undefined) return;
  throw new QStreamError(
    "OPTION_INVALID",
    `--${given} is for a cluster, and none is named: give --cluster ws://host:port`,
  );
}

const ofMachines = "that is each machine's: qstream worker";
const ofHead = "that is the head's: qstream head --store";
const ofHeadsLease = "that is the head's: qstream head --lease-ms";

/** Options that a run on a cluster can't have, and why. */
const notOnClusters: Readonly<Partial<Record<keyof Values, string>>> = {
  slots: `${ofMachines} --slots`,
  isolation: "slots of a cluster's machines are threads",
  memory: `${ofMachines} --memory`,
  "turn-ms": `${ofMachines} --turn-ms`,
  "lease-ms": ofHeadsLease,
  "store-wait-ms": "it follows from the head's lease: qstream head --lease-ms",
  store: ofHead,
  checkpoints: ofHead,
  explain: "qstream explain FLOW --cluster URL draws it there",
  "read-token-file": "the token that lets a client only look can't submit: give --token-file",
};

function refuseOnCluster(values: Values): void {
  const names = Object.keys(notOnClusters) as (keyof Values)[];
  const given = names.find((name) => values[name] !== undefined);
  if (given !== undefined) {
    throw new QStreamError("OPTION_INVALID", `--${given} can't be given with --cluster; ${notOnClusters[given]}`);
  }
  const json = "--detach doesn't wait for results, which --json wants: qstream follow EXECUTION --json FILE has them";
  refuseTogether(values.detach, values.json, json);
}

function parse(words: readonly string[]) {
  // `--explain` alone means text; parseArgs has no options with an optional value.
  const explained = words.map((word) => (word === "--explain" ? "--explain=text" : word));
  return parseWords({
    args: withValue(withValue(explained, "--verify-replay=sample", isNumber), `--rescale=${allSteps}`, isChannels),
    allowPositionals: true,
    options: {
      arg: { type: "string", multiple: true },
      slots: { type: "string" },
      isolation: { type: "string" },
      memory: { type: "string" },
      "turn-ms": { type: "string" },
      "lease-ms": { type: "string" },
      store: { type: "string" },
      checkpoints: { type: "string" },
      "checkpoint-every-ms": { type: "string" },
      attempts: { type: "string" },
      "store-wait-ms": { type: "string" },
      "verify-replay": { type: "string" },
      resume: { type: "string" },
      upgrade: { type: "boolean" },
      rescale: { type: "string", multiple: true },
      json: { type: "string" },
      explain: { type: "string" },
      quiet: { type: "boolean" },
      detach: { type: "boolean" },
      ...clientOptions,
      help: { type: "boolean", short: "h" },
    },
  });
}

/** Options whose value may be left out: a word that follows and looks like one is it. */
function withValue(words: readonly string[], without: string, isValue: (word: string) => boolean): string[] {
  const [name] = without.split("=");
  const joined: string[] = [];
  for (const word of words) {
    if (joined.at(-1) === without && isValue(word)) joined[joined.length - 1] = `${name}=${word}`;
    else joined.push(word === name ? without : word);
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

const allSteps = "all";
const channelsMost = 65_536;

/** STEP=N, and not the next option. */
function isChannels(word: string): boolean {
  return /^[^-].*=[^=]*$/u.test(word);
}

/** Step ids may have an equals sign in them: the last one is what the number comes behind. */
function parseRescale(texts: readonly string[]): true | Readonly<Record<string, number>> {
  if (texts.every((text) => text === allSteps)) return true;
  const wanted = new Map<string, number>();
  for (const text of texts) {
    const at = text.lastIndexOf("=");
    if (at < 1) {
      const what = text === allSteps ? "alone it is for all steps, and with STEP=N for some" : "STEP=N is wanted";
      throw new QStreamError("OPTION_INVALID", `--rescale ${text}: ${what}`);
    }
    const step = text.slice(0, at);
    if (wanted.has(step)) throw new QStreamError("OPTION_INVALID", `--rescale: "${step}" is given twice`);
    wanted.set(step, wholeNumber(`--rescale ${step}`, text.slice(at + 1), 1, channelsMost));
  }
  return Object.fromEntries(wanted);
}

/** `--explain dot` is read as a flow of that name. */
function pictureHint(positionals: readonly string[]): string {
  const picture = positionals.find((word) => pictures.some((known) => known === word));
  return picture === undefined ? "" : `; for a picture write --explain=${picture}`;
}
