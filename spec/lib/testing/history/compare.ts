// Compares what checkers say with what trying every order says, on random histories.
import * as fc from "fast-check";
import type * as published from "../../../../lib/testing/history/index.ts";
import type {
  History,
  Model,
  RecordedCall,
  Transaction,
  TransactionReads,
} from "../../../../lib/testing/history/index.ts";
import { atOnce, recorded, type Written } from "./events.ts";
import { hasOrder, type Promised } from "./oracle.ts";
import {
  histories,
  keyValue,
  lists,
  promiseOf,
  queue,
  register,
  registers,
  rounding,
  type Models,
  type RegisterCall,
  type System,
} from "./systems.ts";

/** The checkers of the project, or broken ones. */
export type Checkers = Pick<
  typeof published,
  "History" | "checkLinearizable" | "checkSequential" | "checkSerializable"
> &
  Models;

/** How many histories were compared, and of how many the promise was kept. */
export interface Agreement {
  readonly compared: number;
  readonly kept: number;
}

/** One comparison, of so many random histories. @throws Error for the first on which the two disagree, made small unless that is the end */
export interface Comparison {
  readonly name: string;
  readonly compare: (checkers: Checkers, runs: number, endOnFailure?: boolean) => Agreement;
}

type Tell<Operation, Result> = (
  checkers: Checkers,
  history: History<Operation, Result>,
) => published.SerializableReport["verdict"];

function comparison<State, Operation, Result>(
  name: string,
  system: System<State, Operation, Result>,
  promised: Promised,
  tell: Tell<Operation, Result>,
  examples: readonly History<Operation, Result>[] = [],
): Comparison {
  return {
    name: `${name}, ${system.name}`,
    compare(checkers, runs, endOnFailure = false) {
      let kept = 0;
      const promise = promiseOf(system);
      const property = fc.property(histories(system), (history) => {
        const expected = hasOrder(history.calls(), promise, promised) ? "ok" : "violated";
        const found = tell(checkers, checkers.History.from(history.toJSON()));
        if (found !== expected) throw new Error(`${found} instead of ${expected}:\n${history.toString()}`);
        kept += expected === "ok" ? 1 : 0;
      });
      fc.assert(property, { numRuns: runs, seed: 1, endOnFailure, examples: examples.map((history) => [history]) });
      return { compared: runs, kept };
    },
  };
}

function linearizable<State, Operation, Result>(
  system: System<State, Operation, Result>,
  examples: readonly History<Operation, Result>[] = [],
): Comparison {
  const tell: Tell<Operation, Result> = (checkers, history) => {
    const model = modelOf(system, checkers);
    const report = checkers.checkLinearizable(history, model);
    if (report.verdict === "violated") checkViolation(history, model, promiseOf(system), report.violation);
    return report.verdict;
  };
  return comparison("linearizable", system, "real time", tell, examples);
}

/** What is told of a violation is true: the beginning fails, none shorter does, and the order gives every result. */
function checkViolation<State, Operation, Result>(
  history: History<Operation, Result>,
  model: Model<unknown, Operation, Result>,
  promise: Model<State, Operation, Result>,
  { partition, events, order, unplaced }: published.LinearizabilityViolation<unknown, Operation, Result>,
): void {
  const own = history.calls().filter(({ operation }) => model.partition?.(operation) === partition);
  const until = (count: number): RecordedCall<Operation, Result>[] => {
    const known = new Map(events.slice(0, count).map(({ call, kind }) => [call, kind]));
    return own.flatMap((call): RecordedCall<Operation, Result>[] => {
      const kind = known.get(call.call);
      if (kind === undefined || call.outcome === "fail") return [];
      return kind === "ok" ? [call] : [{ ...call, outcome: "unknown", endedAt: Infinity }];
    });
  };
  if (hasOrder(until(events.length), promise, "real time"))
    throw new Error(`the beginning doesn't fail:\n${history.toString()}`);
  if (!hasOrder(until(events.length - 1), promise, "real time"))
    throw new Error(`a shorter one fails:\n${history.toString()}`);
  // As the calls of the order alone: whatever isn't in it is as if it had never been.
  const placed = new Set(order.map(({ call }) => call.call));
  if (
    !hasOrder(
      order.map(({ call }) => call),
      promise,
      "real time",
    )
  )
    throw new Error(`that is no order:\n${history.toString()}`);
  const missing = until(events.length).filter(({ call, outcome }) => outcome === "ok" && !placed.has(call));
  const [told, expected] = [unplaced, missing].map((calls) => calls.map(({ call }) => call).join());
  if (told !== expected || told === "")
    throw new Error(`unplaced are ${told} and not ${expected}:\n${history.toString()}`);
}

function sequential<State, Operation, Result>(
  system: System<State, Operation, Result>,
  examples: readonly History<Operation, Result>[] = [],
): Comparison {
  const tell: Tell<Operation, Result> = (checkers, history) =>
    checkers.checkSequential(history, modelOf(system, checkers)).verdict;
  return comparison("sequential", system, "client", tell, examples);
}

function modelOf<State, Operation, Result>(
  system: System<State, Operation, Result>,
  models: Models,
): Model<unknown, Operation, Result> {
  return system.modelOf?.(models) ?? (promiseOf(system) as Model<unknown, Operation, Result>);
}

function serializable(
  system: System<Readonly<Record<string, unknown>>, Transaction, TransactionReads>,
  examples: readonly History<Transaction, TransactionReads>[] = [],
): Comparison[] {
  const tell =
    (strict: boolean): Tell<Transaction, TransactionReads> =>
    (checkers, history) =>
      checkers.checkSerializable(history, { strict }).verdict;
  return [
    comparison("serializable", system, "any", tell(false), examples),
    comparison("strictly serializable", system, "real time", tell(true), examples),
  ];
}

/** The first read may have either of two unknown calls before it, and the second read only the one that the first did without. */
const eitherUnknown = recorded<RegisterCall>(
  ["a", "begins", { kind: "write", value: 1 }],
  ["a", "unknown"],
  ["b", "begins", { kind: "compare-and-set", expected: 2, value: 1 }],
  ["b", "unknown"],
  ...[{ kind: "write", value: 2 } as const, { kind: "read" } as const].flatMap(then),
  ...[{ kind: "write", value: 0 } as const, { kind: "read" } as const].flatMap(then),
);

/** Each of two calls may be the first: one way an unknown call is needed between them already, and then it isn't there for the read. */
const neededLater = recorded<RegisterCall>(
  ["a", "begins", { kind: "write", value: 0 }],
  ["a", "unknown"],
  ["b", "begins", { kind: "write", value: 5 }],
  ["c", "begins", { kind: "compare-and-set", expected: 0, value: 5 }],
  ["b", "ok"],
  ["c", "ok", true],
  ["c", "begins", { kind: "read" }],
  ["c", "ok", 0],
);

/** What a client reads first, it can't have written afterwards; another one may have. */
const sameOfTwo = recorded<RegisterCall>(
  ["a", "begins", { kind: "read" }],
  ["a", "ok", 1],
  ["a", "begins", { kind: "write", value: 1 }],
  ["a", "unknown"],
  ["b", "begins", { kind: "write", value: 1 }],
  ["b", "unknown"],
);

const append = (key: string) => ({ kind: "append", key, value: 1 }) as const;
const read = (key: string) => ({ kind: "read", key }) as const;

/** Each of two transactions read what the other appended; and one reads what it appends afterwards. */
const mistakenReads = [
  atOnce<Transaction, TransactionReads>(["a", [append("x"), read("y")], [[1]]], ["b", [append("y"), read("x")], [[1]]]),
  atOnce<Transaction, TransactionReads>(["a", [read("x"), append("x")], [[1]]]),
];

function then(operation: RegisterCall): Written<RegisterCall>[] {
  return [
    ["c", "begins", operation],
    ["c", "ok", operation.kind === "read" ? 1 : undefined],
  ];
}

export const comparisons: readonly Comparison[] = [
  linearizable(register, [eitherUnknown, neededLater]),
  linearizable(rounding),
  linearizable(queue),
  linearizable(keyValue),
  sequential(register, [sameOfTwo]),
  sequential(rounding),
  sequential(queue),
  sequential(keyValue),
  ...serializable(registers),
  ...serializable(lists, mistakenReads),
];
