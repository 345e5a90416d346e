import { writeFileSync } from "node:fs";
import { QStreamError, type ErrorCode } from "../core/errors.ts";
import {
  findViolation,
  growthText,
  isFlowExploration,
  repeatExecution,
  type ExhaustiveReport,
  type Exploration,
  type ExplorationReport,
  type FlowExploration,
  type FlowExplorationReport,
} from "../testing/explore/index.ts";
import { asCommand } from "./as-command.ts";
import { SeedProgress } from "./display/seed-progress.ts";
import { formatCount, formatDuration, formatNumber } from "./display/units.ts";
import { parseExploreOptions, turnMsDefault, type ExploreCommand } from "./explore-options.ts";
import { loadExploration } from "./load-exploration.ts";
import { checkTarget } from "./outputs.ts";
import { watchSteps } from "./step-watch.ts";

const aboutWords: readonly ErrorCode[] = ["PATH_NOT_FOUND", "FLOW_NOT_FOUND", "OPTION_INVALID"];

/** `qstream explore`. Returns the exit code: 0 all held, 1 something didn't, 2 the command was wrong. */
export function exploreCommand(words: readonly string[]): Promise<number> {
  return asCommand(
    "explore",
    () => parseExploreOptions(words),
    run,
    (error) => (error instanceof QStreamError && aboutWords.includes(error.code) ? 2 : 1),
  );
}

async function run(command: ExploreCommand): Promise<number> {
  const { module, json } = command;
  if (json !== undefined && json !== "-") checkTarget(json);
  const exploration = await loadExploration(module);
  // Standard output is for the summary alone, where that goes there.
  const say = (text: string): unknown => (json === "-" ? process.stderr : process.stdout).write(`${text}\n`);
  const report = isFlowExploration(exploration)
    ? await ofFlow(exploration, command, say)
    : await watched(command, () => ofActors(exploration, command, say));
  const { violation, warnings } = report;
  for (const warning of warnings) say(`warning: ${warning}`);
  if (violation !== undefined) say(`\n${violation.text}`);
  if (json !== undefined) writeSummary(json, report);
  return violation === undefined ? 0 : 1;
}

type Say = (text: string) => unknown;

async function ofActors(exploration: Exploration, command: ExploreCommand, say: Say): Promise<ExplorationReport> {
  const report = await explored(exploration, command);
  const { growth, violation, pictures } = report;
  say(summaryOf(report));
  if (growth !== undefined) say(`\n${growthText(growth)}`);
  if (violation === undefined && pictures.length > 0) say(`pictures: ${pictures.join(", ")}`);
  return report;
}

/** With an eye on handlers that never end. */
async function watched<T>({ module, turnMs, options }: ExploreCommand, work: () => Promise<T>): Promise<T> {
  const unwatch = watchSteps({ module, turnMs, isExhaustive: options.exhaustive !== undefined });
  try {
    return await work();
  } finally {
    unwatch();
  }
}

async function ofFlow(
  exploration: FlowExploration<never>,
  { seeds, options, isWhole, turnMs }: ExploreCommand,
  say: Say,
): Promise<FlowExplorationReport> {
  const ofActorsOnly = isWhole ? "--whole" : turnMs === turnMsDefault ? undefined : "--turn-ms";
  if (ofActorsOnly !== undefined)
    throw new QStreamError("OPTION_INVALID", `${ofActorsOnly} is of explorations of actors, and this is one of a flow`);
  const progress = new SeedProgress(seeds, "tasks");
  try {
    const report = await findViolation(exploration, {
      // Those that are of actors only are refused there.
      ...(options as object),
      onRun: ({ tasks }) => progress.ran(tasks),
    });
    const { name, tasks, faults, elapsedMs } = report;
    const what = [formatNumber(report.seeds, "seed"), formatNumber(tasks, "task"), formatNumber(faults, "fault")];
    say(`${name}: ${what.join(", ")}, ${formatDuration(elapsedMs)}`);
    return report;
  } finally {
    progress.end();
  }
}

async function explored(exploration: Exploration, command: ExploreCommand): Promise<ExplorationReport> {
  const { options, seeds, choices } = command;
  if (choices !== undefined) return repeatExecution(shownAs(exploration, command), choices, options);
  const sizes = options.sizes?.length ?? 1;
  const progress = new SeedProgress(seeds * sizes);
  try {
    return await findViolation(shownAs(exploration, command), {
      ...options,
      onRun: ({ steps }) => progress.ran(steps),
      onExecution: (executions) => progress.tried(executions),
    });
  } finally {
    progress.end();
  }
}

/** The same with states and messages as long as they are, where that is asked for. */
function shownAs(exploration: Exploration, { isWhole }: ExploreCommand): Exploration {
  if (!isWhole) return exploration;
  const { options } = exploration;
  return { ...exploration, options: { ...options, show: { ...options.show, whole: true } } };
}

function summaryOf(report: ExplorationReport): string {
  const { name, seeds, steps, faults, counts, elapsedMs, exhaustive, growth } = report;
  const took = formatDuration(elapsedMs);
  if (exhaustive !== undefined) return `${name}: ${allOf(exhaustive)}, ${took}`;
  const what = [formatNumber(seeds, "seed"), formatNumber(steps, "step"), formatNumber(faults, "fault")].join(", ");
  const line = `${name}: ${what}, ${took}`;
  // Of several numbers of machines there is a table.
  if (counts.steps.max === 0 || growth !== undefined) return line;
  const spread = ({ min, median, max }: typeof counts.steps): string => `${min} to ${max}, median ${median}`;
  const { messages, rounds } = counts;
  return `${line}\na run: messages ${spread(messages)}; rounds ${spread(rounds)}; steps ${spread(counts.steps)}`;
}

function allOf({ executions, redundant, states, orders, isExhausted, cut }: ExhaustiveReport): string {
  return [
    isExhausted ? "all orders" : "not all orders",
    `${formatNumber(executions, "execution")} of about ${manyOf(orders)} orders`,
    ...(cut === 0 ? [] : [`${formatCount(cut)} cut off at the depth`]),
    ...(redundant === 0 ? [] : [`${formatCount(redundant)} given up early`]),
    ...(states === undefined ? [] : [formatNumber(states, "state")]),
  ].join(", ");
}

/** A count that may have more digits than anybody reads. */
function manyOf(count: number): string {
  return count < 1e15 ? formatCount(count) : count.toExponential(0);
}

function writeSummary(json: string, report: ExplorationReport | FlowExplorationReport): void {
  const { violation, ...rest } = report;
  const { error, text: _text, ...found } = violation ?? {};
  const shown =
    violation === undefined ? undefined : { ...found, ...(error === undefined ? {} : { error: error.message }) };
  const text = `${JSON.stringify({ ...rest, violation: shown }, undefined, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else writeFileSync(json, text);
}
