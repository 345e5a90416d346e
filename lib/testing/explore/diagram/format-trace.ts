import type { RunStep, RunStepKind, RunTrace } from "../trace.ts";
import { describeDone, describeLeftOut, describeLosses, describeViolation } from "./describe.ts";
import { Lanes } from "./lanes.ts";
import { lifeAfter } from "./lives.ts";
import { checkCount, checkStepRange, type StepRange } from "./options.ts";
import { cutTrace, selectSteps } from "./selection.ts";
import { columnsOf, formatMs, printable, printableLines, shorten } from "./text.ts";

export interface FormatTraceOptions extends StepRange {
  /** Columns of the terminal; rows of steps that are longer are shortened. Default 120. */
  readonly columns?: number;
  /** Rows are as long as they are, with whole states. Default false. */
  readonly whole?: boolean;
}

const stepsMaxDefault = 40;
const lanesMax = 16;
const laneColumnsMax = 6;
const columnsMin = 40;
// Rows of what one step lost.
const lossesMax = 8;

const signs: Readonly<Record<RunStepKind, string>> = {
  deliver: "●",
  timer: "┼",
  crash: "x",
  restart: "▼",
  start: "▽",
  stop: "■",
  note: "◆",
  partition: "═",
  heal: "─",
};

/**
 * A run as plain text for terminals: the last steps before the violation, a row each, with a column for each line that shows
 * whose step it was and who is down, and the violation below. Whatever a terminal would obey is written out as `\x1b`.
 *
 * @param options.stepsMax - steps that are shown at most, the newest up to the violation (default 40)
 * @param options.firstStep, options.lastStep - numbers of the steps between which it is shown (default: all)
 * @param options.columns - width in columns that no row of a step goes beyond (default 120, at least 40)
 * @param options.whole - rows are as long as they are, with whole states (default false)
 * @throws QStreamError OPTION_INVALID for an option that can't be
 * @example
 * console.log(formatTrace(trace, { columns: process.stdout.columns ?? 120 }));
 */
export function formatTrace(whole: RunTrace, options: FormatTraceOptions = {}): string {
  const range = checkStepRange(options, stepsMaxDefault);
  const columns = Math.max(columnsMin, checkCount("columns", options.columns ?? 120));
  const trace = cutTrace(whole, range);
  const { steps, first, earlier, later, violated } = selectSteps(trace, range);
  const chart = new Chart(trace, columns);
  for (const step of trace.steps.slice(0, first)) chart.take(step);
  const { whole: isWhole = false } = options;
  const rows = steps.map((step) => [String(step.step), formatMs(step.at), chart.take(step)] as const);
  const heads = ["step", "ms", chart.head] as const;
  const widths = [0, 1].map((cell) =>
    [heads, ...rows].reduce((most, row) => Math.max(most, columnsOf(row[cell] ?? "")), 0),
  );
  const layRow = ([step, at, lanes]: readonly [string, string, string], mark: string, text: string): string => {
    const start = `${mark} ${step.padStart(widths[0] ?? 0)}  ${at.padStart(widths[1] ?? 0)}  `;
    const row = `${start}${lanes === "" ? "" : `${lanes} `}${text}`.trimEnd();
    return isWhole ? row : shorten(row, columns);
  };
  const layRows = (step: RunStep, index: number): string[] => {
    const [text = "", ...below] = textsOf(step, isWhole);
    const row = rows[index] ?? heads;
    const mark = index === violated && trace.violation !== undefined ? ">" : " ";
    return [layRow(row, mark, text), ...below.map((each) => layRow(["", "", ""], " ", each))];
  };
  const leftOut = describeLeftOut(earlier, later);
  const { violation } = trace;
  const found = violation === undefined ? [] : printableLines(violation.message).map((line) => `  ${line}`);
  return [
    `${printable(trace.title)}, seed ${trace.seed}`,
    ...(trace.command === undefined ? [] : [`repeat it: ${printable(trace.command)}`]),
    ...(leftOut === undefined ? [] : [`(${leftOut})`]),
    "",
    layRow(heads, " ", ""),
    ...steps.flatMap(layRows),
    ...(violation === undefined ? [] : ["", describeViolation(violation), ...found]),
    "",
  ].join("\n");
}

/** The columns of lines: whose step it is, who is up and who is down. None where there are too many lines. */
class Chart {
  readonly head: string;
  readonly #lanes: Lanes;
  readonly #width: number;
  readonly #down: Set<number>;

  constructor(trace: RunTrace, columns: number) {
    this.#lanes = new Lanes(trace);
    const names = this.#lanes.all.map(({ id }) => printable(id));
    const most = names.reduce((width, name) => Math.max(width, columnsOf(name)), 1);
    const width = Math.min(laneColumnsMax, most) + 1;
    this.#width = names.length <= lanesMax && names.length * width <= columns / 2 ? width : 0;
    this.head = names.map((name) => this.#cell(shorten(name, width - 1), " ")).join("");
    const firsts = new Map<number, RunStepKind>();
    for (const { kind, line } of trace.steps) {
      if (lifeAfter[kind] === undefined) continue;
      for (const lane of this.#lanes.meantBy(line)) if (!firsts.has(lane)) firsts.set(lane, kind);
    }
    this.#down = new Set([...firsts].flatMap(([lane, kind]) => (kind === "start" ? [lane] : [])));
  }

  /** The columns of a step, which has to be the one behind that of the call before. */
  take({ kind, line }: RunStep): string {
    const own = this.#lanes.meantBy(line);
    const life = lifeAfter[kind];
    for (const lane of life === undefined ? [] : own) {
      if (life === "alive") this.#down.delete(lane);
      else this.#down.add(lane);
    }
    const isWide = kind === "partition" || kind === "heal";
    return this.#lanes.all
      .map((_, lane) => {
        if (isWide) return this.#cell(signs[kind], signs[kind]);
        return this.#cell(own.includes(lane) ? signs[kind] : this.#down.has(lane) ? "·" : "│", " ");
      })
      .join("");
  }

  #cell(sign: string, filling: string): string {
    return this.#width === 0 ? "" : sign + filling.repeat(Math.max(0, this.#width - columnsOf(sign)));
  }
}

/** The texts of a step's rows: what was done, and below it what was lost. */
function textsOf(step: RunStep, isWhole: boolean): string[] {
  const state = step.state === undefined ? "" : `  ${printable(step.state)}`;
  const line = step.line === "" ? "" : `${printable(step.line)} `;
  const done = `${describeDone(step)}${state}`;
  const losses = describeLosses(step);
  const shown = isWhole ? losses : losses.slice(0, lossesMax);
  if (shown.length < losses.length) shown.push(`and ${losses.length - shown.length} others`);
  const [first = "", ...others] = done === "" ? shown : [done, ...shown];
  return [`${line}${first}`, ...others];
}
