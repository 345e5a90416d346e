import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { QStreamError } from "../../../../lib/index.ts";
import { History, type HistoryData } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { histories, keyValue, lists } from "./systems.ts";

const test = suite("History");

function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof QStreamError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing was thrown";
}

test("calls are numbered, and have the order in which they began and ended", () => {
  const history = new History<string, number>();
  const first = history.invoke("a", "one");
  const second = history.invoke("b", "two");
  second.ok(2);
  first.unknown();
  history.invoke("a", "three").fail();
  history.invoke("b", "four");
  assert.equal(
    history.calls().map(({ call, outcome, invokedAt, endedAt, result }) => [call, outcome, invokedAt, endedAt, result]),
    [
      [1, "unknown", 0, Infinity, undefined],
      [2, "ok", 1, 2, 2],
      [3, "fail", 4, 5, undefined],
      [4, "unknown", 6, Infinity, undefined],
    ],
  );
});

test("a client has one call open, and a call ends once", () => {
  const history = new History<string, number>();
  const call = history.invoke("a", "one");
  assert.match(
    codeOf(() => history.invoke("a", "two")),
    /^HISTORY_INVALID: client "a" begins a call while its call 1 is open/,
  );
  call.unknown();
  for (const again of [() => call.ok(1), call.fail, call.unknown]) {
    assert.match(codeOf(again), /^HISTORY_INVALID: call 1 of client "a" has ended already/);
  }
  history.invoke("a", "two");
  assert.match(
    codeOf(() => call.ok(1)),
    /^HISTORY_INVALID: call 1 of client "a" has ended already/,
  );
  assert.is(history.events.length, 3);
});

test("what is recorded stays as it was", () => {
  const history = new History<{ list: number[] }, number[]>();
  const operation = { list: [1] };
  const result = [1];
  history.invoke("a", operation).ok(result);
  operation.list.push(2);
  result.push(2);
  assert.equal(history.calls()[0]?.operation, { list: [1] });
  assert.equal(history.calls()[0]?.result, [1]);
  const call = new History<unknown, unknown>();
  assert.match(
    codeOf(() => call.invoke("a", { by: () => 1 })),
    /^HISTORY_INVALID: the operation of call 1 can't be copied/,
  );
  assert.is(call.events.length, 0);
});

test("events don't grow beyond their limit", () => {
  const history = new History<string, number>({ eventsMax: 3 });
  history.invoke("a", "one").ok(1);
  const call = history.invoke("a", "two");
  assert.match(
    codeOf(() => call.ok(1)),
    /^LIMIT_EXCEEDED: a history has 3 events/,
  );
});

test("options that can't be are refused", () => {
  assert.match(
    codeOf(() => new History({ eventsMax: 0 })),
    /^OPTION_INVALID: eventsMax of History is 0/,
  );
  assert.match(
    codeOf(() => new History({ eventMax: 1 } as object)),
    /^OPTION_INVALID.*Did you mean "eventsMax"/,
  );
});

test("a history is printed with a line for each event and a column for each client", () => {
  let timeMs = 0;
  const history = new History<unknown, unknown>({ now: () => (timeMs += 5) });
  const first = history.invoke("a", { kind: "write", value: 1 });
  const second = history.invoke("reader", { kind: "read" });
  second.ok(1);
  first.unknown();
  history.invoke("a", ["x".repeat(60)]).fail();
  assert.equal(history.toString().split("\n"), [
    `          a                                                 reader`,
    `#1 5 ms   write 1`,
    `#2 10 ms                                                    read`,
    `#2 15 ms                                                    ok 1`,
    `#1 20 ms  unknown`,
    `#3 25 ms  ["${"x".repeat(43)}...`,
    `#3 30 ms  fail`,
  ]);
});

test("a history goes to JSON and back", () => {
  const property = fc.property(fc.oneof(histories(keyValue), histories(lists)), (history) => {
    const back = History.from(JSON.parse(JSON.stringify(history)) as HistoryData);
    assert.equal(back.calls(), history.calls() as unknown);
    assert.is(back.toString(), history.toString());
    // What is open in it goes on.
    for (const { client, call, endedAt, outcome } of history.calls()) {
      const isOpen =
        endedAt === Infinity && !history.events.some((event) => event.kind === "unknown" && event.call === call);
      if (outcome === "unknown" && isOpen) assert.throws(() => back.invoke(client, "more"), /is open/);
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test("what JSON would lose isn't given to it", () => {
  for (const value of [1n, NaN, Infinity, new Map(), new Date(0), [undefined], { deep: [{ of: 1n }] }]) {
    const history = new History<unknown, unknown>();
    history.invoke("a", "one").ok(value);
    assert.match(
      codeOf(() => history.toJSON()),
      /^HISTORY_INVALID: the result of call 1.* has no form in JSON/,
    );
  }
  const history = new History<unknown, unknown>();
  history.invoke("a", { kind: "x", none: undefined }).ok(null);
  assert.is(JSON.stringify(history.toJSON().events[1]), `{"kind":"ok","call":1,"client":"a","result":null}`);
});

test("data that is no history is refused, with the event", () => {
  const begin = { kind: "invoke", call: 1, client: "a", operation: 1 };
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /the events of a history are an array/],
    [{ events: 1 }, /the events of a history are an array/],
    [{ events: [null] }, /event 0 of a history is no object/],
    [{ events: [{ kind: "invoke", call: 1 }] }, /event 0 of a history has no client/],
    [{ events: [{ ...begin, timeMs: "1" }] }, /event 0 of a history has a timeMs that is no number/],
    [{ events: [{ ...begin, call: 2 }] }, /event 0 of a history begins call 2, and call 1 is next/],
    [{ events: [{ kind: "invoke", call: 1, client: "a" }] }, /event 0 of a history has no operation/],
    [
      { events: [begin, { ...begin, call: 2 }] },
      /event 1 of a history begins a call of client "a", which has one open/,
    ],
    [
      { events: [begin, { kind: "ok", call: 2, client: "a" }] },
      /event 1 .* ends call 2, which client "a" has not open/,
    ],
    [
      { events: [begin, { kind: "ok", call: 1, client: "b" }] },
      /event 1 .* ends call 1, which client "b" has not open/,
    ],
    [{ events: [{ ...begin, kind: "info" }] }, /event 0 of a history is of no kind that there is: info/],
  ];
  for (const [data, message] of wrong) {
    const found = codeOf(() => History.from(data as HistoryData));
    assert.match(found, /^HISTORY_INVALID/);
    assert.match(found, message);
  }
});

test.run();
