import * as assert from "uvu/assert";
import {
  checkLinearizable,
  checkSequential,
  History,
  keyValueModel,
  queueModel,
  registerModel,
  unknownResult,
  type KeyValueOperation,
  type Model,
  type QueueOperation,
  type RegisterOperation,
} from "../../../../lib/testing/index.ts";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { suite } from "../../../kit/suite.ts";
import { oneByOne, recorded, type Written } from "./events.ts";

const test = suite("checkLinearizable");

const read = { kind: "read" } as const;
const write = (value: number) => ({ kind: "write", value }) as const;
const enqueue = (value: string) => ({ kind: "enqueue", value }) as const;
const dequeue = { kind: "dequeue" } as const;

const verdictOfQueue = (...events: readonly Written<QueueOperation<string>>[]): string =>
  checkLinearizable(recorded(...events), queueModel<string>()).verdict;

// Figure 1 of Herlihy and Wing, Linearizability: a correctness condition for concurrent objects, 1990.
test("the queues of Herlihy and Wing are told apart", () => {
  const first = verdictOfQueue(
    ...([
      ["A", "begins", enqueue("x")],
      ["B", "begins", enqueue("y")],
      ["B", "ok"],
      ["A", "ok"],
    ] as const),
    ...([
      ["B", "begins", dequeue],
      ["B", "ok", "x"],
      ["A", "begins", dequeue],
      ["A", "ok", "y"],
    ] as const),
    ["A", "begins", enqueue("z")],
  );
  const second = verdictOfQueue(
    ...([
      ["A", "begins", enqueue("x")],
      ["A", "ok"],
      ["B", "begins", enqueue("y")],
    ] as const),
    ...([
      ["A", "begins", dequeue],
      ["B", "ok"],
      ["A", "ok", "y"],
    ] as const),
  );
  const third = verdictOfQueue(["A", "begins", enqueue("x")], ["B", "begins", dequeue], ["B", "ok", "x"]);
  const fourth = verdictOfQueue(
    ...([
      ["A", "begins", enqueue("x")],
      ["B", "begins", enqueue("y")],
      ["A", "ok"],
      ["B", "ok"],
    ] as const),
    ...([
      ["A", "begins", dequeue],
      ["C", "begins", dequeue],
      ["A", "ok", "y"],
      ["C", "ok", "y"],
    ] as const),
  );
  assert.equal([first, second, third, fourth], ["ok", "violated", "ok", "violated"]);
});

// The two histories by which Porcupine is explained.
test("a write that a read has seen isn't unseen by a later one", () => {
  const overlapping = recorded<RegisterOperation<number>>(
    ...([
      ["a", "begins", write(100)],
      ["b", "begins", read],
      ["c", "begins", read],
    ] as const),
    ...([
      ["c", "ok", 0],
      ["b", "ok", 100],
      ["a", "ok"],
    ] as const),
  );
  assert.is(checkLinearizable(overlapping, registerModel(0)).verdict, "ok");
  const after = recorded<RegisterOperation<number>>(
    ...([
      ["a", "begins", write(200)],
      ["b", "begins", read],
      ["b", "ok", 200],
    ] as const),
    ...([
      ["c", "begins", read],
      ["c", "ok", 0],
      ["a", "ok"],
    ] as const),
  );
  assert.is(checkLinearizable(after, registerModel(0)).verdict, "violated");
});

test("a write that timed out may take effect late, or never, and one that failed may not", () => {
  const seen = (end: "unknown" | "fail", ...results: readonly number[]): string => {
    const history = recorded<RegisterOperation<number>>(
      ["a", "begins", write(1)],
      ["a", end],
      ...results.flatMap((result) => [["b", "begins", read] as const, ["b", "ok", result] as const]),
    );
    return checkLinearizable(history, registerModel(0)).verdict;
  };
  assert.is(seen("unknown", 0, 0), "ok");
  assert.is(seen("unknown", 0, 1, 1), "ok");
  assert.is(seen("unknown", 0, 1, 0), "violated");
  assert.is(seen("fail", 0, 0), "ok");
  assert.is(seen("fail", 0, 1), "violated");
});

test("a history whose results have a type of their own is taken by models that take any", () => {
  const history = new History<RegisterOperation<number>, number | boolean>();
  history.invoke("a", { kind: "compare-and-set", expected: 0, value: 2 }).ok(true);
  history.invoke("a", read).ok(2);
  assert.is(checkLinearizable(history, registerModel(0)).verdict, "ok");
});

test("a violation tells the partition, the shortest beginning, the longest order and what has no place in it", () => {
  const put = (key: string, value: number) => ({ kind: "put", key, value }) as const;
  const get = (key: string) => ({ kind: "get", key }) as const;
  const history = oneByOne<KeyValueOperation<number>, unknown>(
    ["a", put("good", 1), undefined],
    ["a", put("bad", 1), undefined],
    ["b", get("bad"), 1],
    ["b", put("bad", 2), undefined],
    ["a", get("bad"), 1],
    ["a", get("bad"), 2],
    ["b", get("good"), 1],
  );
  const report = checkLinearizable(history, keyValueModel<number>());
  if (report.verdict !== "violated") throw new Error(report.verdict);
  const { partition, shortest, events, order, unplaced } = report.violation;
  assert.equal([partition, shortest, events.length], ["bad", true, 8]);
  assert.equal(
    [order, unplaced].map((calls) => calls.length),
    [3, 1],
  );
  assert.is(
    report.text,
    `not linearizable, partition "bad"
the shortest beginning that fails:
      a            b
  #2  put "bad" 1
  #2  ok
  #3               get "bad"
  #3               ok 1
  #4               put "bad" 2
  #4               ok
  #5  get "bad"
  #5  ok 1
the longest order:
  #2 a: put "bad" 1     then {"bad": 1}
  #3 b: get "bad" -> 1  then {"bad": 1}
  #4 b: put "bad" 2     then {"bad": 2}
what has no place in it:
  #5 a: get "bad" -> 1`,
  );
});

/** Calls of clients that overlap, of a store that keeps its promise. */
function working(calls: number, keys: number, unknown: number): History<KeyValueOperation<number>, unknown> {
  const random = seededRandom(7);
  const whole = (below: number): number => Math.floor(random() * below);
  const history = new History<KeyValueOperation<number>, unknown>();
  const values = new Map<string, number>();
  const open = new Map<string, { step: () => void; end: () => void; stepped: boolean }>();
  for (let begun = 0; begun < calls || open.size > 0;) {
    const client = `client ${whole(5)}`;
    const own = open.get(client);
    if (own?.stepped === true) {
      open.delete(client);
      own.end();
    } else if (own !== undefined) {
      own.stepped = true;
      own.step();
    } else if (begun < calls) {
      begun += 1;
      const key = `key ${whole(keys)}`;
      const isGet = random() < 0.5;
      const operation = isGet ? ({ kind: "get", key } as const) : ({ kind: "put", key, value: whole(5) } as const);
      const call = history.invoke(client, operation);
      let result: number | undefined;
      const step = (): void => {
        if (operation.kind === "put") values.set(key, operation.value);
        else result = values.get(key);
      };
      open.set(client, { step, end: () => (random() < unknown ? call.unknown() : call.ok(result)), stepped: false });
    }
  }
  return history;
}

test("a thousand calls on one key, ten thousand on a hundred, and unknown ones among them, take few steps", () => {
  for (const [calls, keys, unknown] of [
    [1000, 1, 0],
    [1000, 1, 0.05],
    [10_000, 100, 0],
    [10_000, 100, 0.05],
  ] as const) {
    const history = working(calls, keys, unknown);
    const { verdict, steps } = checkLinearizable(history, keyValueModel<number>(), { stepsMax: 20_000 });
    assert.is(verdict, "ok", `${calls} calls on ${keys} keys`);
    assert.ok(steps < 5 * calls, `${steps} steps`);
  }
});

test("a search that meets its limit is unknown, and says of which partitions; a violation elsewhere is told", () => {
  const history = working(200, 2, 0);
  const report = checkLinearizable(history, keyValueModel<number>(), { stepsMax: 10 });
  if (report.verdict !== "unknown") throw new Error(report.verdict);
  assert.equal(report.partitions.map((each) => each ?? "").toSorted(), ["key 0", "key 1"]);
  assert.match(
    report.text,
    /^not known to be linearizable: the search of "key \d", "key \d" met its limit of 10 steps; raise stepsMax/,
  );
  history.invoke("x", { kind: "put", key: "other", value: 1 }).ok();
  history.invoke("x", { kind: "get", key: "other" }).ok(2);
  const violated = checkLinearizable(history, keyValueModel<number>(), { stepsMax: 10 });
  assert.is(violated.verdict, "violated");
  assert.throws(
    () => checkLinearizable(history, keyValueModel<number>(), { stepsMax: 0.5 }),
    /stepsMax of checkLinearizable is 0.5/,
  );
  assert.throws(
    () => checkLinearizable(history, keyValueModel<number>(), { stepMax: 1 } as object),
    /Did you mean "stepsMax"/,
  );
});

test("what has many unknown writes is known soon, since one that isn't needed isn't taken", () => {
  const history = new History<RegisterOperation<number>, unknown>();
  for (let value = 1; value <= 40; value += 1) history.invoke(`writer ${value}`, write(value)).unknown();
  for (const value of [3, 7, 3]) history.invoke("reader", read).ok(value);
  const report = checkLinearizable(history, registerModel(0), { stepsMax: 20_000 });
  assert.is(report.verdict, "violated", report.text);
});

test("the model of a user may have several next states, and may not call a read what changes something", () => {
  type Add = { readonly by: number };
  const counter: Model<number, Add, number> = {
    init: 0,
    step: (count, { by }, before) => (before === unknownResult || before === count ? [count + by, count + 2 * by] : []),
  };
  const history = oneByOne<Add, number>(["a", { by: 1 }, 0], ["a", { by: 1 }, 2], ["a", { by: 0 }, 3]);
  assert.is(checkLinearizable(history, counter).verdict, "ok");
  const wrong = oneByOne<Add, number>(["a", { by: 1 }, 0], ["a", { by: 0 }, 3]);
  assert.is(checkLinearizable(wrong, counter).verdict, "violated");
  assert.throws(
    () => checkLinearizable(history, { ...counter, isRead: () => true }),
    /isRead of a model says .* changes nothing/,
  );
});

test("values are compared by what they hold, and a queue refuses what it can't tell from nothing", () => {
  const objects = oneByOne<RegisterOperation<object>, unknown>(
    ["a", { kind: "write", value: { x: 1, y: [2n] } }, undefined],
    ["a", { kind: "compare-and-set", expected: { y: [2n], x: 1 }, value: new Map([["k", new Date(0)]]) }, true],
    ["a", read, new Map([["k", new Date(0)]])],
  );
  assert.is(checkLinearizable(objects, registerModel<object>({})).verdict, "ok");
  const nothing = oneByOne<QueueOperation<null>, unknown>(["a", { kind: "enqueue", value: null }, undefined]);
  assert.throws(() => checkLinearizable(nothing, queueModel<null>()), /a queue is given null or undefined/);
});

test("operations that the model doesn't know, and models that are none, are HISTORY_INVALID", () => {
  const codeOf = (check: () => unknown): string => {
    try {
      check();
    } catch (error) {
      return error instanceof QStreamError ? `${error.code}: ${error.message}` : String(error);
    }
    return "ok";
  };
  const wrong = (operation: unknown): History<never, never> =>
    recorded<unknown>(["a", "begins", operation], ["a", "ok", 1]) as unknown as History<never, never>;
  const misspelt = wrong({ kind: "raed", key: "x" });
  const models = { register: registerModel(0), map: keyValueModel<number>(), queue: queueModel<number>() };
  for (const [name, model] of Object.entries(models)) {
    const found = codeOf(() => checkLinearizable(misspelt, model as Model<unknown, never, never>));
    assert.match(found, /^HISTORY_INVALID: .*raed "x"/, name);
    const none = codeOf(() => checkLinearizable(wrong(undefined), model as Model<unknown, never, never>));
    assert.match(none, /^HISTORY_INVALID: .*undefined/, name);
    assert.match(
      codeOf(() => checkSequential(misspelt, model as Model<unknown, never, never>)),
      /^HISTORY_INVALID/,
    );
  }
  const asModel = (model: unknown): Model<unknown, never, never> => model as Model<unknown, never, never>;
  const given: readonly [unknown, RegExp][] = [
    [{ init: 0, step: () => 1 }, /step of the model gives 1 for raed "x", and no array of states/],
    [{ init: 0, step: () => undefined }, /step of the model gives undefined for/],
    [{ init: 0 }, /the model has no step/],
    [undefined, /the model has no step/],
    [registerModel, /the model has no step/],
    [
      {
        init: 0,
        step: () => {
          throw new TypeError("oh");
        },
      },
      /step of the model failed at raed "x": oh/,
    ],
  ];
  for (const [model, message] of given) {
    const found = codeOf(() => checkLinearizable(misspelt, asModel(model)));
    assert.match(found, /^HISTORY_INVALID/);
    assert.match(found, message);
  }
  assert.match(
    codeOf(() => checkLinearizable(new History<never, never>(), asModel(undefined))),
    /^HISTORY_INVALID/,
  );
});

test("a history without calls is told from one that holds", () => {
  const empty = checkLinearizable(new History<RegisterOperation<number>, unknown>(), registerModel(0));
  assert.equal([empty.verdict, empty.text], ["ok", "linearizable: the history has no calls"]);
});

test.run();
