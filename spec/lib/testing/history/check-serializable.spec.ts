import * as assert from "uvu/assert";
import {
  checkSerializable,
  History,
  type AnomalyName,
  type CheckSerializableOptions,
  type SerializableReport,
  type Transaction,
  type TransactionReads,
  type TransactionStep,
} from "../../../../lib/testing/index.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { suite } from "../../../kit/suite.ts";
import { atOnce, oneByOne } from "./events.ts";

const test = suite("checkSerializable");

type Call = readonly [client: string, transaction: Transaction, reads: TransactionReads];

const read = (key: string): TransactionStep => ({ kind: "read", key });
const append = (key: string, value: number): TransactionStep => ({ kind: "append", key, value });
const write = (key: string, value: number): TransactionStep => ({ kind: "write", key, value });

function namesOf({ verdict, anomalies }: SerializableReport): readonly AnomalyName[] {
  assert.is(verdict, anomalies.length === 0 ? "ok" : "violated");
  return anomalies.map(({ name }) => name);
}

const namesAtOnce = (...calls: readonly Call[]): readonly AnomalyName[] => namesOf(checkSerializable(atOnce(...calls)));

// The phenomena of Adya, Weak consistency, 1999, and of Kingsbury and Alvaro, Elle, 2020.
test("cycles have the names of what they hold", () => {
  const g0 = namesAtOnce(
    ["a", [append("x", 1), append("y", 1)], []],
    ["b", [append("x", 2), append("y", 2)], []],
    ["c", [read("x")], [[1, 2]]],
    ["d", [read("y")], [[2, 1]]],
  );
  assert.ok(g0.includes("G0"), g0.join());
  const g1c = namesAtOnce(["a", [append("x", 1), read("y")], [[1]]], ["b", [append("y", 1), read("x")], [[1]]]);
  assert.equal(g1c, ["G1c"]);
  const lostUpdate = namesAtOnce(
    ["a", [read("x"), append("x", 1)], [[]]],
    ["b", [read("x"), append("x", 2)], [[]]],
    ["c", [read("x")], [[1, 2]]],
  );
  assert.equal(lostUpdate, ["G-single"]);
  const readSkew = namesAtOnce(["a", [append("x", 1), append("y", 1)], []], ["b", [read("x"), read("y")], [[1], []]]);
  assert.equal(readSkew, ["G-single"]);
  const writeSkew = namesAtOnce(["a", [read("x"), append("y", 1)], [[]]], ["b", [read("y"), append("x", 1)], [[]]]);
  assert.equal(writeSkew, ["G2"]);
  const longFork = namesAtOnce(
    ["a", [append("x", 1)], []],
    ["b", [append("y", 1)], []],
    ["c", [read("x"), read("y")], [[1], []]],
    ["d", [read("x"), read("y")], [[], [1]]],
  );
  assert.equal(longFork, ["G2"]);
});

test("a cycle is printed with the reason of each dependency", () => {
  const report = checkSerializable(
    atOnce<Transaction, TransactionReads>(
      ["a", [append("x", 1), append("y", 1)], []],
      ["b", [read("x"), read("y")], [[1], []]],
    ),
  );
  assert.is(
    report.text,
    `not serializable
G-single
  transactions:
    #2 b: [read "x", read "y"] -> [[1], []]
    #1 a: [append "x" 1, append "y" 1] -> []
  because:
    #2 -rw-> #1: #2 read "y" empty, without 1, which #1 appended
    #1 -wr-> #2: #2 read "x" up to 1, which #1 appended`,
  );
  const [cycle] = report.anomalies.flatMap((anomaly) => (anomaly.cycle === undefined ? [] : [anomaly.cycle]));
  assert.equal(
    cycle?.map(({ from, kind, to }) => [from.call, kind, to.call]),
    [
      [2, "rw", 1],
      [1, "wr", 2],
    ],
  );
});

test("of long lists that differ, what is told begins where they do", () => {
  const values = Array.from({ length: 500 }, (_, index) => index);
  const writers = values.map((value): Call => [`w${value}`, [append("x", value)], []]);
  const other = values.with(300, values[301] as number).with(301, values[300] as number);
  const { anomalies } = checkSerializable(
    atOnce(...writers, ["a", [read("x")], [values]], ["b", [read("x")], [other.slice(0, 400)]]),
  );
  const told = anomalies.find(({ name }) => name === "incompatible order")?.text ?? "";
  assert.match(told, "[300 more, 301, 300, 302");
  assert.match(told, "[300 more, 300, 301, 302");
  assert.ok(told.length < 1000, `${told.length} characters`);
});

test("reads that nobody can have made have names of their own", () => {
  assert.equal(namesAtOnce(["a", [read("x")], [[7]]]), ["garbage read"]);
  assert.equal(namesAtOnce(["a", [append("x", 1)], []], ["b", [read("x")], [[1, 1]]]), ["duplicate elements"]);
  const forked = namesAtOnce(
    ["a", [append("x", 1)], []],
    ["b", [append("x", 2)], []],
    ["c", [read("x")], [[1]]],
    ["d", [read("x")], [[2]]],
  );
  assert.equal(forked, ["incompatible order"]);
  const between = namesAtOnce(["a", [append("x", 1), append("x", 2)], []], ["b", [read("x")], [[1]]]);
  assert.ok(between.includes("G1b"), between.join());
  assert.equal(namesAtOnce(["a", [append("x", 1), read("x")], [[]]]), ["internal"]);
  assert.equal(namesAtOnce(["a", [read("x"), append("x", 1)], [[1]]]), ["internal"]);
  assert.equal(namesAtOnce(["a", [append("y", 1)], []], ["b", [read("y"), read("y")], [[], [1]]]), ["internal"]);
  const history = new History<Transaction, TransactionReads>();
  history.invoke("a", [append("x", 1)]).fail();
  history.invoke("b", [read("x")]).ok([[1]]);
  assert.equal(namesOf(checkSerializable(history)), ["G1a"]);
});

test("a transaction of which something was read took effect, all of it, though nobody knows its end", () => {
  const history = new History<Transaction, TransactionReads>();
  history.invoke("a", [append("x", 1), append("y", 1), read("z")]).unknown();
  const reading = history.invoke("b", [read("x"), read("y")]);
  reading.ok([[1], []]);
  assert.equal(namesOf(checkSerializable(history)), ["G-single"]);
  const unseen = new History<Transaction, TransactionReads>();
  unseen.invoke("a", [append("x", 1)]).unknown();
  unseen.invoke("b", [read("x")]).ok([null]);
  unseen.invoke("b", [read("x")]).ok([[1]]);
  assert.equal(namesOf(checkSerializable(unseen, { strict: true })), []);
});

test("real time counts for strict serializability only", () => {
  const lists = oneByOne<Transaction, TransactionReads>(["a", [append("x", 1)], []], ["b", [read("x")], [[]]]);
  assert.equal(namesOf(checkSerializable(lists)), []);
  const strict = checkSerializable(lists, { strict: true });
  assert.equal(namesOf(strict), ["G-single-realtime"]);
  assert.match(strict.text, /^not strictly serializable/);
  assert.match(strict.text, /#1 -realtime-> #2: #1 had ended when #2 began/);
  const registers = oneByOne<Transaction, TransactionReads>(["a", [write("x", 1)], []], ["b", [read("x")], [null]]);
  assert.equal(namesOf(checkSerializable(registers)), []);
  assert.equal(namesOf(checkSerializable(registers, { strict: true })), ["no order"]);
});

test("transactions on registers are put in an order, within a limit", () => {
  const skew: readonly Call[] = [
    ["a", [read("x"), write("y", 1)], [null]],
    ["b", [read("y"), write("x", 1)], [null]],
  ];
  const report = checkSerializable(atOnce(...skew));
  assert.equal(namesOf(report), ["no order"]);
  assert.is(
    report.text,
    `not serializable
the longest order:
  #1 a: [read "x", write "y" 1] -> [null]  then {"y": 1}
what has no place in it:
  #2 b: [read "y", write "x" 1] -> [null]`,
  );
  const writes = Array.from({ length: 20 }, (_, at): Call => [`client ${at}`, [write(`key ${at}`, at)], []]);
  const many = checkSerializable(atOnce(...writes, ["reader", [read("key 1")], [99]]), { stepsMax: 500 });
  assert.equal([many.verdict, many.anomalies.length], ["unknown", 0]);
  assert.match(many.text, /^not known to be serializable: the search met its limit of 500 steps; raise stepsMax/);
});

test("transactions that can't be checked are refused", () => {
  const refused = (calls: readonly Call[], options: CheckSerializableOptions = {}): string => {
    try {
      return checkSerializable(atOnce(...calls), options).verdict;
    } catch (error) {
      return String(error);
    }
  };
  const twice = refused([
    ["a", [append("x", 1)], []],
    ["b", [append("x", 1)], []],
  ]);
  assert.match(twice, /calls 1 and 2 both append 1 to "x"/);
  assert.match(refused([["a", [append("x", 1), write("y", 1)], []]]), /call 1 writes and call 1 appends/);
  assert.match(refused([["a", [append("x", 1), read("x")], [1]]]), /call 1 read the list "x" as 1/);
  assert.match(refused([["a", [read("x")], []]]), /the result of call 1 isn't a list of what its 1 reads gave/);
  assert.match(refused([["a", [{ kind: "get", key: "x" } as never], []]]), /a step of call 1 is none that there is/);
  assert.match(refused([["a", "x" as never, []]]), /the operation of call 1 is no array of steps/);
  assert.match(refused([], { strickt: true } as object), /Did you mean "strict"/);
  assert.is(refused([]), "ok");
});

/** Transactions of clients that overlap, each with its effect at its begin, of which one in `stale` reads what was there before. */
function working(transactions: number, stale: number): History<Transaction, TransactionReads> {
  const random = seededRandom(3);
  const whole = (below: number): number => Math.floor(random() * below);
  const history = new History<Transaction, TransactionReads>();
  const lists = new Map<string, readonly number[]>();
  const ends: (() => void)[] = [];
  for (let number = 0; number < transactions; number += 1) {
    const keys = [whole(8), whole(8)].map((key) => `${key + 8 * Math.floor(number / 400)}`);
    const steps = keys.map((key, at) => (random() < 0.5 ? read(key) : append(key, 2 * number + at)));
    const call = history.invoke(`client ${number % 5}`, steps);
    const isStale = stale > 0 && number % stale === stale - 1;
    const reads = steps.flatMap((step) => {
      const list = lists.get(step.key) ?? [];
      if (step.kind === "read") return [isStale ? list.slice(0, -1) : list];
      lists.set(step.key, [...list, step.value as number]);
      return [];
    });
    ends.push(() => call.ok(reads));
    if (ends.length === 5) for (const end of ends.splice(0)) end();
  }
  for (const end of ends) end();
  return history;
}

test("thousands of transactions on lists are checked in seconds, right or wrong", () => {
  assert.equal(namesOf(checkSerializable(working(5000, 0), { strict: true })), []);
  const wrong = checkSerializable(working(5000, 50), { strict: true });
  assert.is(wrong.verdict, "violated");
  assert.ok(
    wrong.anomalies.some(({ cycle }) => cycle !== undefined),
    wrong.text,
  );
});

test.run();
