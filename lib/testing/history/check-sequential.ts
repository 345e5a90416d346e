import { namesOf } from "../../core/option-names.ts";
import { checkModel } from "./asked-model.ts";
import type { RecordedCall } from "./events.ts";
import type { History } from "./history.ts";
import type { Model } from "./model.ts";
import { stepsMaxOf, type CheckHistoryOptions } from "./options.ts";
import { block, callText, lastLines, orderLines } from "./print-order.ts";
import { searchOrder, type CallOrder, type PlacedCall } from "./search.ts";

/** What came of looking for an order of all calls. `text` says it to people. */
export type OrderReport<State, Operation, Result> =
  | { readonly verdict: "ok"; readonly steps: number; readonly text: string }
  | {
      /** There is none; or, if unknown, the limit was met before it was known. */
      readonly verdict: "violated" | "unknown";
      readonly steps: number;
      readonly text: string;
      /** The longest order in which the model gives every result. */
      readonly order: readonly PlacedCall<State, Operation, Result>[];
      /** The calls that were ok and aren't in that order. */
      readonly unplaced: readonly RecordedCall<Operation, Result>[];
    };

const optionNames = namesOf<CheckHistoryOptions>({ stepsMax: true });

/**
 * Whether there is an order of all calls that keeps the order of each client and gives what a model says: what one client
 * does may be seen late by others. Parts that are sequential each by itself needn't be so together, so `partition` of
 * the model isn't used.
 *
 * @throws QStreamError OPTION_INVALID for an option that can't be; HISTORY_INVALID for a model that is none, contradicts itself, or doesn't know an operation
 * @example
 * const report = checkSequential(history, registerModel(0));
 * assert.equal(report.verdict, "ok", report.text);
 */
export function checkSequential<State, Operation, Result>(
  history: History<Operation, Result>,
  model: Model<State, Operation, Result>,
  options: CheckHistoryOptions = {},
): OrderReport<State, Operation, Result> {
  const stepsMax = stepsMaxOf("checkSequential", options, optionNames);
  checkModel(model);
  return checkOrder(history.calls(), model, "client", stepsMax, "sequentially consistent");
}

/** Looks for an order, and says it. */
export function checkOrder<State, Operation, Result>(
  calls: readonly RecordedCall<Operation, Result>[],
  model: Model<State, Operation, Result>,
  callOrder: CallOrder,
  stepsMax: number,
  promise: string,
): OrderReport<State, Operation, Result> {
  const { found, steps, order } = searchOrder(calls, model, callOrder, stepsMax);
  if (found === true) return { verdict: "ok", steps, text: promise };
  const placed = new Set(order.map(({ call }) => call.call));
  const unplaced = calls.filter(({ call, outcome }) => outcome === "ok" && !placed.has(call));
  const limit = `: the search met its limit of ${stepsMax} steps; raise stepsMax, or record fewer calls`;
  const text = [
    found === undefined ? `not known to be ${promise}${limit}` : `not ${promise}`,
    ...block("the longest order:", orderLines(order)),
    ...block("what has no place in it:", lastLines(unplaced.map(callText), "calls")),
  ].join("\n");
  return { verdict: found === undefined ? "unknown" : "violated", steps, text, order, unplaced };
}
