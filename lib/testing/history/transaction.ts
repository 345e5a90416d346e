import { QStreamError } from "../../core/errors.ts";
import type { RecordedCall } from "./events.ts";
import { unknownResult, type Model } from "./model.ts";
import { sameValue } from "./value-text.ts";

/** A part of a transaction: it reads a key, writes its value, or appends an element to its list. */
export type TransactionStep =
  | { readonly kind: "read"; readonly key: string }
  | { readonly kind: "write"; readonly key: string; readonly value: unknown }
  | { readonly kind: "append"; readonly key: string; readonly value: unknown };

/** What a transaction does, in this order, all of it or nothing. */
export type Transaction = readonly TransactionStep[];

/** What the reads of a transaction gave, in their order: a value, a list, or null where there was nothing. */
export type TransactionReads = readonly unknown[];

/** A recorded transaction. */
export type TransactionCall = RecordedCall<Transaction, TransactionReads>;

/** What a step of a transaction did; of a read with what it gave. */
export type StepDone =
  | { readonly kind: "read"; readonly key: string; readonly value: unknown }
  | { readonly kind: "write" | "append"; readonly key: string; readonly value: unknown };

/** The steps of a transaction with what its reads gave. Where its end is unknown, so is what they gave: they are left out. */
export function stepsOf({ operation, outcome, result }: TransactionCall): readonly StepDone[] {
  let reads = 0;
  return operation.flatMap((step): readonly StepDone[] => {
    if (step.kind !== "read") return [step];
    if (outcome !== "ok") return [];
    return [{ ...step, value: result?.[reads++] ?? null }];
  });
}

/** Which kind of data the transactions are on. */
export type TransactionKind = "registers" | "lists";

/**
 * What is wrong with transactions is an error rather than a violation.
 *
 * @throws QStreamError HISTORY_INVALID
 */
export function kindOfTransactions(calls: readonly TransactionCall[]): TransactionKind {
  for (const call of calls) checkTransaction(call);
  const has = (kind: TransactionStep["kind"]): TransactionCall | undefined =>
    calls.find(({ operation }) => operation.some((step) => step.kind === kind));
  const [writes, appends] = [has("write"), has("append")];
  if (writes !== undefined && appends !== undefined) {
    throw invalid(
      `call ${writes.call} writes and call ${appends.call} appends`,
      "Check registers and lists in histories of their own",
    );
  }
  const isList = calls.some(({ result }) => result?.some((value) => Array.isArray(value)) === true);
  return appends !== undefined || (writes === undefined && isList) ? "lists" : "registers";
}

function checkTransaction({ call, operation, outcome, result }: TransactionCall): void {
  if (!Array.isArray(operation)) throw invalid(`the operation of call ${call} is no array of steps`);
  const wrong = (operation as Transaction).find(
    (step) => !["read", "write", "append"].includes(step?.kind) || typeof step.key !== "string",
  );
  if (wrong !== undefined)
    throw invalid(`a step of call ${call} is none that there is: it has to read, write or append, and a key`);
  const reads = (operation as Transaction).filter(({ kind }) => kind === "read").length;
  const given = Array.isArray(result) ? result.length : result === undefined ? 0 : -1;
  if (outcome === "ok" && given !== reads) {
    throw invalid(
      `the result of call ${call} isn't a list of what its ${reads} reads gave`,
      "Give null for what wasn't there",
    );
  }
}

export function invalid(what: string, advice = "Record transactions as arrays of steps"): QStreamError {
  return new QStreamError("HISTORY_INVALID", what, { advice });
}

/** Registers that transactions read and write. Null stands for a register that nobody has written. */
export const registersModel: Model<Readonly<Record<string, unknown>>, Transaction, TransactionReads> = {
  init: Object.create(null) as Readonly<Record<string, unknown>>,
  step(state, transaction, result) {
    const after: Record<string, unknown> = Object.assign(Object.create(null) as Record<string, unknown>, state);
    let reads = 0;
    for (const step of transaction) {
      if (step.kind !== "read") {
        after[step.key] = step.value;
      } else if (result !== unknownResult) {
        if (!sameValue(result?.[reads] ?? null, after[step.key] ?? null)) return [];
        reads += 1;
      }
    }
    return [after];
  },
  isRead: (transaction) => transaction.every(({ kind }) => kind === "read"),
};
