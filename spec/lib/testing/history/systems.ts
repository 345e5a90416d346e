// Small systems that mostly keep their promises, and random histories of them.
import * as fc from "fast-check";
import type * as published from "../../../../lib/testing/history/index.ts";
import {
  History,
  unknownResult,
  type Model,
  type Transaction,
  type TransactionReads,
  type TransactionStep,
} from "../../../../lib/testing/history/index.ts";

/** The models of the project, or broken ones. */
export type Models = Pick<typeof published, "registerModel" | "queueModel" | "keyValueModel">;

/** A system that clients call: what it does to its state, and what it answers. */
export interface System<State, Operation, Result> {
  readonly name: string;
  readonly init: State;
  readonly operations: fc.Arbitrary<Operation>;
  /** Answers that have nothing to do with the state. */
  readonly answers: fc.Arbitrary<Result>;
  /** What it promises: an operation as if alone. An answer of undefined isn't looked at. */
  readonly apply: (state: State, operation: Operation) => readonly [State, Result];
  /** The model that checkers are given; nothing for transactions, whose models they have. */
  readonly modelOf?: (models: Models) => Model<unknown, Operation, Result>;
  /** What it promises, if that isn't what `apply` does. */
  readonly promise?: Model<State, Operation, Result>;
  /** The operation as that call does it. */
  readonly numbered?: (operation: Operation, call: number) => Operation;
  /** An answer of two: what was there at the begin, and at the end. */
  readonly mix?: (atBegin: Result, atEnd: Result) => Result;
  /** The answer with what was drawn in it. */
  readonly distort?: (answer: Result, drawn: Result) => Result;
  /** Two operations that do the same, if nothing comes between them. */
  readonly halve?: (operation: Operation) => readonly [Operation, Operation];
}

/** What a system promises, as a model: what `apply` does. */
export function promiseOf<State, Operation, Result>(
  system: System<State, Operation, Result>,
): Model<State, Operation, Result> {
  if (system.promise !== undefined) return system.promise;
  return {
    init: system.init,
    step(state, operation, result) {
      const [after, answer] = system.apply(state, operation);
      return result === unknownResult || answer === undefined || isSame(answer, result) ? [after] : [];
    },
  };
}

// An empty list is as good as none.
function isSame(one: unknown, other: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(
      Array.isArray(value) ? value.map((each) => (isEmpty(each) ? null : (each as unknown))) : (value ?? null),
    );
  return text(one) === text(other);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

// When a call has its effect, and how it goes wrong: it answers from two states; does half at its begin and half at its end;
// overwrites what others did; does it twice; doesn't do it; answers anything.
const rightEffects = ["begin", "end"] as const;
const wrongEffects = ["mixed", "halves", "overwrite", "twice", "lost", "drawn answer"] as const;

/** What is drawn of one call. */
interface Move<Operation, Result> {
  readonly client: number;
  readonly operation: Operation;
  readonly end: "ok" | "fail" | "unknown";
  readonly effect: (typeof rightEffects)[number] | (typeof wrongEffects)[number];
  readonly answer: Result;
}

const callsMax = 6;

/** Histories of at most six calls of three clients. */
export function histories<State, Operation, Result>(
  system: System<State, Operation, Result>,
): fc.Arbitrary<History<Operation, Result>> {
  const move = fc.record<Move<Operation, Result>>({
    client: fc.nat({ max: 2 }),
    operation: system.operations,
    end: fc.oneof(
      { weight: 8, arbitrary: fc.constant("ok" as const) },
      { weight: 1, arbitrary: fc.constant("fail" as const) },
      { weight: 2, arbitrary: fc.constant("unknown" as const) },
    ),
    effect: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...rightEffects) },
      { weight: 1, arbitrary: fc.constantFrom(...wrongEffects) },
    ),
    answer: system.answers,
  });
  return fc.array(move, { minLength: 8, maxLength: 16, size: "max" }).map((moves) => play(system, moves));
}

/** A move of a client that has no call open begins one, any other ends it. */
function play<State, Operation, Result>(
  system: System<State, Operation, Result>,
  moves: readonly Move<Operation, Result>[],
): History<Operation, Result> {
  const history = new History<Operation, Result>();
  const open = new Map<number, () => void>();
  let state = system.init;
  let calls = 0;
  for (const { client, operation: drawn, effect, answer, end } of moves) {
    const finish = open.get(client);
    if (finish !== undefined) {
      open.delete(client);
      finish();
      continue;
    }
    if (calls === callsMax) continue;
    calls += 1;
    const operation = system.numbered?.(drawn, calls) ?? drawn;
    const call = history.invoke("abc"[client] ?? "", operation);
    const [first, second] = system.halve?.(operation) ?? [operation, operation];
    const [early, atBegin] = system.apply(state, operation);
    if (effect === "begin" || effect === "twice") state = early;
    if (effect === "halves") [state] = system.apply(state, first);
    open.set(client, () => {
      const [late, atEnd] = system.apply(state, operation);
      if (effect === "halves") [state] = system.apply(state, second);
      if (effect === "overwrite") state = early;
      if (effect === "mixed" || effect === "twice" || (effect === "end" && end !== "fail")) state = late;
      if (end !== "ok") call[end]();
      else if (effect === "end") call.ok(atEnd);
      else if (effect === "mixed") call.ok(system.mix?.(atBegin, atEnd) ?? atBegin);
      else call.ok(effect === "drawn answer" ? distorted(system, atBegin, answer) : atBegin);
    });
  }
  return history;
}

function distorted<State, Operation, Result>(
  { distort }: System<State, Operation, Result>,
  answer: Result,
  drawn: Result,
): Result {
  if (distort !== undefined) return distort(answer, drawn);
  if (typeof answer === "boolean") return !answer as Result;
  return answer === undefined ? answer : drawn;
}

const value = fc.nat({ max: 2 });

export type RegisterCall =
  | { kind: "read" }
  | { kind: "write"; value: number }
  | { kind: "compare-and-set"; expected: number; value: number };

export const register: System<number, RegisterCall, unknown> = {
  name: "register",
  init: 0,
  modelOf: ({ registerModel }) => registerModel(0) as Model<unknown, RegisterCall, unknown>,
  operations: fc.oneof(
    fc.constant({ kind: "read" as const }),
    fc.record({ kind: fc.constant("write" as const), value }),
    fc.record({ kind: fc.constant("compare-and-set" as const), expected: value, value }),
  ),
  answers: value,
  apply(state, operation) {
    if (operation.kind === "read") return [state, state];
    if (operation.kind === "write") return [operation.value, undefined];
    return state === operation.expected ? [operation.value, true] : [state, false];
  },
};

type RoundingCall = { kind: "read" } | { kind: "write"; value: number };

/** After a write it has the value, or the next one. */
const roundingModel: Model<number, RoundingCall, unknown> = {
  init: 0,
  step(state, operation, result) {
    if (operation.kind === "write") return [operation.value, operation.value + 1];
    return result === unknownResult || result === state ? [state] : [];
  },
};

/** A register that may round what is written up. */
export const rounding: System<number, RoundingCall, unknown> = {
  name: "rounding register",
  init: 0,
  modelOf: () => roundingModel as Model<unknown, RoundingCall, unknown>,
  promise: roundingModel,
  operations: fc.oneof(
    fc.constant({ kind: "read" as const }),
    fc.record({ kind: fc.constant("write" as const), value: fc.constantFrom(1, 3, 5) }),
  ),
  answers: fc.constantFrom(1, 2, 3, 4, 5, 6),
  apply(state, operation) {
    if (operation.kind === "read") return [state, state];
    return [state % 2 === 0 ? operation.value : operation.value + 1, undefined];
  },
};

type QueueCall = { kind: "enqueue"; value: number } | { kind: "dequeue" };

export const queue: System<readonly number[], QueueCall, unknown> = {
  name: "queue",
  init: [],
  modelOf: ({ queueModel }) => queueModel<number>() as Model<unknown, QueueCall, unknown>,
  operations: fc.oneof(
    fc.record({ kind: fc.constant("enqueue" as const), value }),
    fc.constant({ kind: "dequeue" as const }),
  ),
  answers: fc.option(value),
  apply: (state, operation) =>
    operation.kind === "enqueue" ? [[...state, operation.value], undefined] : [state.slice(1), state[0] ?? null],
};

const key = fc.constantFrom("x", "y");

type Store = Readonly<Record<string, number>>;
type StoreOperation =
  | { kind: "get"; key: string }
  | { kind: "delete"; key: string }
  | { kind: "put"; key: string; value: number }
  | { kind: "compare-and-set"; key: string; expected: number | null; value: number };

export const keyValue: System<Store, StoreOperation, unknown> = {
  name: "key-value store",
  init: {},
  modelOf: ({ keyValueModel }) => keyValueModel<number>() as Model<unknown, StoreOperation, unknown>,
  operations: fc.oneof(
    fc.record({ kind: fc.constant("get" as const), key }),
    fc.record({ kind: fc.constant("delete" as const), key }),
    fc.record({ kind: fc.constant("put" as const), key, value }),
    fc.record({ kind: fc.constant("compare-and-set" as const), key, expected: fc.option(value), value }),
  ),
  answers: fc.option(value),
  apply(state, operation) {
    const before = state[operation.key] ?? null;
    const { [operation.key]: _before, ...others } = state;
    if (operation.kind === "get") return [state, before];
    if (operation.kind === "put") return [{ ...state, [operation.key]: operation.value }, undefined];
    if (operation.kind === "delete") return [others, before !== null];
    const sets = before === operation.expected;
    return [sets ? { ...state, [operation.key]: operation.value } : state, sets];
  },
};

type Data = Readonly<Record<string, unknown>>;

/** Runs a transaction alone: the state after it, and what its reads gave. */
function transact(state: Data, transaction: Transaction): readonly [Data, TransactionReads] {
  const after: Record<string, unknown> = { ...state };
  const reads: unknown[] = [];
  for (const step of transaction) {
    if (step.kind === "read") reads.push(after[step.key] ?? null);
    else if (step.kind === "write") after[step.key] = step.value;
    else after[step.key] = [...((after[step.key] ?? []) as readonly unknown[]), step.value];
  }
  return [after, reads];
}

const mix = (atBegin: TransactionReads, atEnd: TransactionReads): TransactionReads =>
  atBegin.map((read, index) => (index % 2 === 0 ? read : atEnd[index]));

const halve = (transaction: Transaction): readonly [Transaction, Transaction] => {
  const half = Math.ceil(transaction.length / 2);
  return [transaction.slice(0, half), transaction.slice(half)];
};

const distort = (reads: TransactionReads, drawn: TransactionReads): TransactionReads =>
  reads.map((_, index) => drawn[index] ?? null);

export const registers: System<Data, Transaction, TransactionReads> = {
  name: "registers",
  init: {},
  operations: fc.array(
    fc.oneof<[fc.Arbitrary<TransactionStep>, fc.Arbitrary<TransactionStep>]>(
      fc.record({ kind: fc.constant("read" as const), key }),
      fc.record({ kind: fc.constant("write" as const), key, value }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  answers: fc.array(fc.option(value), { maxLength: 3 }),
  apply: transact,
  distort,
  mix,
  halve,
};

export const lists: System<Data, Transaction, TransactionReads> = {
  name: "lists",
  init: {},
  operations: fc.array(
    fc.oneof<[fc.Arbitrary<TransactionStep>, fc.Arbitrary<TransactionStep>]>(
      fc.record({ kind: fc.constant("read" as const), key }),
      fc.record({ kind: fc.constant("append" as const), key, value: fc.constant(0) }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  answers: fc.array(fc.array(fc.constantFrom(10, 11, 20, 21, 30, 31), { maxLength: 2 }), { maxLength: 4 }),
  apply: transact,
  // Every element is another, so that each has one writer.
  numbered: (transaction, call) =>
    transaction.map((step, index) => (step.kind === "append" ? { ...step, value: 10 * call + index } : step)),
  distort,
  mix,
  halve,
};
