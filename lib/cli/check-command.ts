import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { QStreamError, type ErrorCode } from "../core/errors.ts";
import { quoted } from "../core/quoted.ts";
import { parseArguments } from "../flow/arguments-schema.ts";
import { checkFlow, flowCode, type CheckedStep } from "../testing/confluence/index.ts";
import { asCommand } from "./as-command.ts";
import { formatNumber } from "./display/units.ts";
import { toJson } from "./json.ts";
import { loadFlow } from "./load-flow.ts";
import { exportOf } from "./load-module.ts";
import { checkOneFlow, wholeNumberOr, wordsUnless } from "./option-values.ts";
import { checkTarget } from "./outputs.ts";
import { parseWords } from "./parse-words.ts";

interface Command {
  readonly flow: string;
  readonly args: readonly string[];
  readonly seeds: number;
  readonly from: number;
  readonly step: string | undefined;
  readonly objects: number;
  readonly seconds: number;
  readonly json: string | undefined;
}

const numberMost = 2 ** 31;
const seedsDefault = 100;
const objectsDefault = 30;
const objectsMost = 10_000;
const secondsDefault = 10;
const secondsMost = 86_400;

/** `qstream check`. Returns the exit code: 0 all steps are what they declare, 1 one isn't, 2 the command was wrong. */
export function checkCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "check",
    () => parse(words),
    check,
    (error) => (error instanceof QStreamError && aboutWords.includes(error.code) ? 2 : 1),
  );
}

const aboutWords: readonly ErrorCode[] = ["PATH_NOT_FOUND", "FLOW_NOT_FOUND", "OPTION_INVALID", "ARGUMENT_INVALID"];

async function check(command: Command): Promise<number> {
  const { seeds, from, step, objects, seconds, json } = command;
  if (json !== undefined && json !== "-") checkTarget(json);
  const flow = await loadFlow(command.flow);
  const args = parseArguments(flow.name, flow.schema, command.args);
  const { path, name } = exportOf(command.flow);
  // Standard output is for the summary alone, where that goes there.
  const say = (text: string): unknown => (json === "-" ? process.stderr : process.stdout).write(text);
  const checked = await checkFlow(flow, args, {
    seeds,
    from,
    objectsMax: objects,
    withinMs: seconds * 1000,
    ...(step === undefined ? {} : { step }),
    code: (id) => flowCode(pathToFileURL(resolve(path)).href, name, args, id),
    command: (id, seed) => commandOf(command, id, seed),
    onStep: (one) => say(`${lineOf(one)}\n`),
  });
  const failed = checked.filter(({ report }) => report?.counterExample !== undefined);
  for (const { report } of failed) say(`\n${report?.counterExample?.text ?? ""}`);
  if (checked.length === 0) say("this flow has no operators\n");
  if (json !== undefined) await writeSummary(json, checked);
  return failed.length === 0 ? 0 : 1;
}

function lineOf({ step, what, objects, report, isLoop }: CheckedStep): string {
  const head = `${step} (${what}): `;
  if (isLoop === true) return `${head}a loop, isn't checked by itself: try the flow by qstream simulate`;
  if (report === undefined) return `${head}got no objects, and isn't checked`;
  const { seeds, declares, counterExample } = report;
  const counted = `${formatNumber(seeds, "order")} of ${formatNumber(objects, "object")}`;
  if (counterExample !== undefined) return `${head}${counted}, ${verdictOf(counterExample.variation, declares)}`;
  if (declares === "confluent") return `${head}${counted}, ok`;
  return `${head}${counted}, ok; declared not confluent (${declares.replaceAll("-", " ")})`;
}

function verdictOf(variation: string, declares: string): string {
  if (variation === "failure") return "FAILS";
  return declares === "confluent" ? "NOT CONFLUENT" : "NOT THE SAME for the same tasks";
}

async function writeSummary(json: string, checked: readonly CheckedStep[]): Promise<void> {
  const summary = checked.map(({ step, what, objects, report }) => {
    const { declares, seeds, variations, runs, counterExample } = report ?? {};
    const { seed, variation, reason, spec, command } = counterExample ?? {};
    const failure = counterExample && { seed, variation, objects: counterExample.objects, reason, spec, command };
    return { step, what, objects, declares, seeds, variations, runs, counterExample: failure };
  });
  const text = `${await toJson({ steps: summary })}\n`;
  if (json === "-") process.stdout.write(text);
  else writeFileSync(json, text);
}

function commandOf({ flow, args, objects, seconds }: Command, step: string, seed: number): string {
  const words = [
    flow,
    ...args.flatMap((arg) => ["--arg", arg]),
    ...wordsUnless("--objects", objects, objectsDefault),
    ...wordsUnless("--seconds", seconds, secondsDefault),
    "--step",
    step,
    "--from",
    String(seed),
    "--seeds",
    "1",
  ];
  return ["npx qstream check", ...words.map(quoted)].join(" ");
}

function parse(words: readonly string[]): Command | undefined {
  const { values, positionals } = parseWords({
    args: [...words],
    allowPositionals: true,
    options: {
      arg: { type: "string", multiple: true },
      seeds: { type: "string" },
      from: { type: "string" },
      step: { type: "string" },
      objects: { type: "string" },
      seconds: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  checkOneFlow(positionals);
  return {
    flow: positionals[0] ?? "",
    args: values.arg ?? [],
    seeds: wholeNumberOr("--seeds", values.seeds, seedsDefault, numberMost),
    from: wholeNumberOr("--from", values.from, 1, numberMost),
    step: values.step,
    objects: wholeNumberOr("--objects", values.objects, objectsDefault, objectsMost),
    seconds: wholeNumberOr("--seconds", values.seconds, secondsDefault, secondsMost),
    json: values.json,
  };
}
