import { tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { toJson } from "../../../lib/cli/json.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("command line: JSON");
const through = async (value: unknown): Promise<unknown> => JSON.parse(await toJson(value));

test("plain data stays as it is", async () => {
  const value = { text: "ä\n\u0000", list: [1, -2.5, true, null], inner: { empty: {}, none: [] } };
  assert.equal(await through(value), value);
});

test("what JSON doesn't have is written as what comes nearest", async () => {
  const value = {
    small: 5n,
    large: 2n ** 60n,
    infinite: -Infinity,
    nan: Number.NaN,
    date: new Date(0),
    never: new Date(Number.NaN),
    map: new Map([["a", 1n]]),
    set: new Set([1, 2]),
    bytes: Uint8Array.of(1, 2),
    numbers: BigInt64Array.of(3n),
    buffer: Uint8Array.of(4).buffer,
    view: new DataView(Uint8Array.of(5, 6).buffer, 1),
    url: new URL("http://a.b/c"),
    pattern: /a+/g,
    error: new TypeError("wrong"),
    symbol: Symbol("s"),
    missing: undefined,
    call: () => 1,
  };
  assert.equal(await through(value), {
    small: 5,
    large: "1152921504606846976",
    infinite: "-Infinity",
    nan: "NaN",
    date: "1970-01-01T00:00:00.000Z",
    never: null,
    map: [["a", 1]],
    set: [1, 2],
    bytes: [1, 2],
    numbers: [3],
    buffer: [4],
    view: [6],
    url: "http://a.b/c",
    pattern: "/a+/g",
    error: { name: "TypeError", message: "wrong" },
    symbol: "Symbol(s)",
  });
});

test("an Arrow table is its rows", async () => {
  const table = tableFromArrays({ n: Int32Array.of(1, 2) });
  assert.equal(await through({ table }), { table: [{ n: 1 }, { n: 2 }] });
});

test("what refers to itself ends, and what is only repeated is repeated", async () => {
  const shared = { n: 1 };
  const value: Record<string, unknown> = { a: shared, b: [shared, shared] };
  value["self"] = value;
  assert.equal(await through(value), { a: { n: 1 }, b: [{ n: 1 }, { n: 1 }], self: "(circular)" });
});

test("what is nested too deeply is cut off and says so", async () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100; level++) deep = [deep];
  assert.match(await toJson(deep), "(too deep)");
});

test.run();
