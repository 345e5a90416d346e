import * as assert from "uvu/assert";
import { fingerprintOf } from "../../../lib/core/fingerprint.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("fingerprint");

test("equal data gives the same, in whatever order its properties are", () => {
  assert.is(fingerprintOf({ a: 1, b: [1, "x", null] }), fingerprintOf({ b: [1, "x", null], a: 1 }));
  assert.is(fingerprintOf(new Map([["k", 1]])), fingerprintOf(new Map([["k", 1]])));
});

test("different data gives different ones, also where its text looks alike", () => {
  const values = [
    1,
    "1",
    1n,
    true,
    "true",
    null,
    undefined,
    "null",
    -0,
    0,
    Number.NaN,
    [],
    [[]],
    {},
    { a: 1 },
    ["a", "b"],
    ["a,b"],
    '["a"]',
    new Date(0),
    new Date(1),
    /x/,
    /x/u,
    new Uint8Array([1]),
    new Int8Array([1]),
    new Uint8Array([1]).buffer,
    new Set([1]),
    new Map([[1, 1]]),
    Symbol("x"),
  ];
  assert.is(new Set(values.map((value) => fingerprintOf(value))).size, values.length);
});

test("it doesn't depend on how the engine keeps arrays, which changes as code gets hot", () => {
  const data = {
    steps: Array.from({ length: 20 }, (_, id) => ({ id: `s${id}`, inputs: [{ name: "in", functions: ["a", "b"] }] })),
  };
  const first = fingerprintOf(data);
  for (let round = 0; round < 3000; round++) assert.is(fingerprintOf(data), first);
  // oxlint-disable-next-line unicorn/no-new-array -- an array with room for holes is what is meant
  assert.is(fingerprintOf(Object.assign(new Array(2), [1, 2])), fingerprintOf([1, 2]));
  assert.is(fingerprintOf([1.5, 2].slice(1)), fingerprintOf([2]));
});

test("cycles end", () => {
  const data: Record<string, unknown> = {};
  data["self"] = data;
  assert.type(fingerprintOf(data), "string");
});

test.run();
