import { namesOf } from "../../core/option-names.ts";
import type { Anomaly } from "./anomaly.ts";
import { checkOrder } from "./check-sequential.ts";
import { findCycles } from "./cycles.ts";
import { listDependencies, realTimeDependencies } from "./dependencies.ts";
import type { History } from "./history.ts";
import { findLists } from "./lists.ts";
import { stepsMaxOf, type CheckHistoryOptions } from "./options.ts";
import {
  kindOfTransactions,
  registersModel,
  type Transaction,
  type TransactionCall,
  type TransactionReads,
} from "./transaction.ts";

export interface CheckSerializableOptions extends CheckHistoryOptions {
  /** Whether a transaction that ended before another began has to come before it too: strict serializability. False unless told. */
  readonly strict?: boolean;
}

/** What came of `checkSerializable`. `text` says it to people. */
export interface SerializableReport {
  /** `unknown` where the limit was met before it was known. */
  readonly verdict: "ok" | "violated" | "unknown";
  /** Steps of the search; 0 for lists, which need none. */
  readonly steps: number;
  /** What is wrong; empty unless violated. */
  readonly anomalies: readonly Anomaly[];
  readonly text: string;
}

const anomaliesShown = 10;
const optionNames = namesOf<CheckSerializableOptions>({ stepsMax: true, strict: true });

/**
 * Whether there is an order of all transactions in which each, as if alone, reads what it has read.
 *
 * Of transactions that append to lists the reads tell the order of all elements, so dependencies between transactions are
 * inferred and cycles of them are found, as Elle does: that takes seconds for tens of thousands. Of transactions that write
 * registers an order is searched for, within `stepsMax`.
 *
 * @throws QStreamError OPTION_INVALID for an option that can't be; HISTORY_INVALID for transactions that can't be checked
 * @example
 * const history = new History<Transaction, TransactionReads>();
 * const call = history.invoke("a", [{ kind: "append", key: "x", value: 1 }, { kind: "read", key: "y" }]);
 * call.ok([[]]);
 * assert.equal(checkSerializable(history, { strict: true }).verdict, "ok");
 */
export function checkSerializable(
  history: History<Transaction, TransactionReads>,
  options: CheckSerializableOptions = {},
): SerializableReport {
  const stepsMax = stepsMaxOf("checkSerializable", options, optionNames);
  const strict = options.strict === true;
  const promise = strict ? "strictly serializable" : "serializable";
  const calls = history.calls();
  if (kindOfTransactions(calls) === "lists") return checkLists(calls, strict, promise);
  const report = checkOrder(calls, registersModel, strict ? "real time" : "any", stepsMax, promise);
  const { verdict, steps, text } = report;
  if (verdict !== "violated") return { verdict, steps, anomalies: [], text };
  return { verdict, steps, anomalies: [{ name: "no order", transactions: report.unplaced, text }], text };
}

function checkLists(calls: readonly TransactionCall[], strict: boolean, promise: string): SerializableReport {
  const { lists, anomalies: ofReads, effective } = findLists(calls);
  const realTime = strict ? realTimeDependencies(effective) : [];
  const anomalies = [...ofReads, ...findCycles(listDependencies(lists), realTime)];
  if (anomalies.length === 0) return { verdict: "ok", steps: 0, anomalies, text: promise };
  const shown = anomalies.slice(0, anomaliesShown).map(({ text }) => text);
  const more = anomalies.length > anomaliesShown ? [`(${anomalies.length - anomaliesShown} more anomalies)`] : [];
  return { verdict: "violated", steps: 0, anomalies, text: [`not ${promise}`, ...shown, ...more].join("\n") };
}
