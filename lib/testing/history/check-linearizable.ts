import { namesOf } from "../../core/option-names.ts";
import { checkModel, partitionOf } from "./asked-model.ts";
import type { HistoryEvent, RecordedCall } from "./events.ts";
import type { History } from "./history.ts";
import type { Model } from "./model.ts";
import { stepsMaxOf, type CheckHistoryOptions } from "./options.ts";
import { eventLines } from "./print-history.ts";
import { block, callText, lastLines, orderLines } from "./print-order.ts";
import { searchOrder, type PlacedCall, type SearchOutcome } from "./search.ts";

/** What `checkLinearizable` found in one partition. */
export interface LinearizabilityViolation<State, Operation, Result> {
  /** The partition, where the model has partitions. */
  readonly partition?: string;
  /** The beginning of the history that isn't linearizable already: events of this partition only. */
  readonly events: readonly HistoryEvent<Operation, Result>[];
  /** Whether no shorter beginning fails; false where the limit was met while one was looked for. */
  readonly shortest: boolean;
  /** The longest order of those calls in which the model gives every result. */
  readonly order: readonly PlacedCall<State, Operation, Result>[];
  /** The calls of those events that were ok and aren't in that order. */
  readonly unplaced: readonly RecordedCall<Operation, Result>[];
}

/** What came of `checkLinearizable`. `text` says it to people. */
export type LinearizabilityReport<State, Operation, Result> =
  | { readonly verdict: "ok"; readonly steps: number; readonly text: string }
  | {
      readonly verdict: "violated";
      readonly steps: number;
      readonly text: string;
      readonly violation: LinearizabilityViolation<State, Operation, Result>;
    }
  | {
      /** The limit was met before it was known. */
      readonly verdict: "unknown";
      readonly steps: number;
      readonly text: string;
      /** The partitions of which it isn't known; one without a name where the model has none. */
      readonly partitions: readonly (string | undefined)[];
    };

type Calls<Operation, Result> = readonly RecordedCall<Operation, Result>[];

const optionNames = namesOf<CheckHistoryOptions>({ stepsMax: true });

/**
 * Whether every call could have taken effect at one moment between its begin and its end, in the way that a model says. Calls
 * that failed had no effect; those that are unknown had one at any time after their begin, or none.
 *
 * @param options - the limit, which is for each partition
 * @throws QStreamError OPTION_INVALID for an option that can't be; HISTORY_INVALID for a model that is none, contradicts itself, or doesn't know an operation
 * @example
 * const report = checkLinearizable(history, keyValueModel<number>());
 * assert.equal(report.verdict, "ok", report.text);
 */
export function checkLinearizable<State, Operation, Result>(
  history: History<Operation, Result>,
  model: Model<State, Operation, Result>,
  options: CheckHistoryOptions = {},
): LinearizabilityReport<State, Operation, Result> {
  const stepsMax = stepsMaxOf("checkLinearizable", options, optionNames);
  checkModel(model);
  const all = history.calls();
  if (all.length === 0) return { verdict: "ok", steps: 0, text: "linearizable: the history has no calls" };
  const open: (string | undefined)[] = [];
  let steps = 0;
  for (const [partition, calls] of partitionsOf(all, model)) {
    const outcome = searchOrder(calls, model, "real time", stepsMax);
    steps += outcome.steps;
    if (outcome.found === undefined) open.push(partition);
    if (outcome.found === false) {
      const violation = violationOf(history, calls, outcome, model, stepsMax, partition);
      return { verdict: "violated", steps, violation, text: violationText(violation) };
    }
  }
  if (open.length === 0) return { verdict: "ok", steps, text: "linearizable" };
  const named = open.flatMap((partition) => (partition === undefined ? [] : [JSON.stringify(partition)]));
  const where =
    named.length === 0 ? "" : ` of ${named.slice(0, 10).join(", ")}${named.length > 10 ? " and others" : ""}`;
  const text = `not known to be linearizable: the search${where} met its limit of ${stepsMax} steps; raise stepsMax, or record fewer calls`;
  return { verdict: "unknown", steps, partitions: open, text };
}

function partitionsOf<State, Operation, Result>(
  calls: Calls<Operation, Result>,
  model: Model<State, Operation, Result>,
): ReadonlyMap<string | undefined, Calls<Operation, Result>> {
  const partitions = new Map<string | undefined, RecordedCall<Operation, Result>[]>();
  for (const call of calls) {
    const partition = partitionOf(model, call.operation);
    const own = partitions.get(partition);
    if (own === undefined) partitions.set(partition, [call]);
    else own.push(call);
  }
  return partitions;
}

/** Makes what fails as short as it gets. A longer beginning of what fails fails as well, so halving finds the shortest. */
function violationOf<State, Operation, Result>(
  history: History<Operation, Result>,
  calls: Calls<Operation, Result>,
  whole: SearchOutcome<State, Operation, Result>,
  model: Model<State, Operation, Result>,
  stepsMax: number,
  partition: string | undefined,
): LinearizabilityViolation<State, Operation, Result> {
  const ends = calls.flatMap(({ outcome, endedAt }) => (outcome === "ok" ? [endedAt] : [])).sort((a, b) => a - b);
  // No order got beyond `blockedAt` with the results of all; with those that were known by then only, one may.
  let [low, high] = [ends.indexOf(whole.blockedAt), ends.length - 1];
  let shortest = true;
  let failing = { calls, outcome: whole };
  for (let at = low; low < high; at = Math.floor((low + high) / 2)) {
    const beginning = callsUntil(calls, ends[at] as number);
    const outcome = searchOrder(beginning, model, "real time", stepsMax);
    if (outcome.found === undefined) shortest = false;
    if (outcome.found === false) {
      failing = { calls: beginning, outcome };
      high = at;
    } else low = at + 1;
  }
  const until = ends[high] as number;
  const numbers = new Set(calls.map(({ call }) => call));
  const placed = new Set(failing.outcome.order.map(({ call }) => call.call));
  return {
    ...(partition === undefined ? {} : { partition }),
    events: history.events.slice(0, until + 1).filter(({ call }) => numbers.has(call)),
    shortest,
    order: failing.outcome.order,
    unplaced: failing.calls.filter(({ call, outcome }) => outcome === "ok" && !placed.has(call)),
  };
}

/** The calls that began until then. Of what ended later nothing is known, but that what failed had no effect. */
function callsUntil<Operation, Result>(calls: Calls<Operation, Result>, until: number): Calls<Operation, Result> {
  return calls.flatMap((call): Calls<Operation, Result> => {
    if (call.invokedAt > until) return [];
    if (call.endedAt <= until || call.outcome !== "ok") return [call];
    const { result: _later, ...begun } = call;
    return [{ ...begun, outcome: "unknown", endedAt: Infinity }];
  });
}

function violationText(violation: LinearizabilityViolation<unknown, unknown, unknown>): string {
  const { partition, events, shortest, order, unplaced } = violation;
  const [clients = "", ...lines] = eventLines(events);
  return [
    `not linearizable${partition === undefined ? "" : `, partition ${JSON.stringify(partition)}`}`,
    ...block(`the ${shortest ? "shortest beginning" : "beginning"} that fails:`, [
      clients,
      ...lastLines(lines, "events"),
    ]),
    ...block("the longest order:", orderLines(order)),
    ...block("what has no place in it:", lastLines(unplaced.map(callText), "calls")),
  ].join("\n");
}
