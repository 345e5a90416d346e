import * as assert from "uvu/assert";
import { batching, filtering, flatMapping, framing, mapping, tapping } from "../../../lib/flow/functions.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("functions on edges");
const ctx = undefined as never;
const untyped = (value: unknown): never => value as never;

const kinds = { map: mapping, filter: filtering, flatMap: flatMapping, tap: tapping, mapParcels: batching };

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind} refuses promises by the function's id, also those that reject`, async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): unknown => unhandled.push(error);
    process.on("unhandledRejection", note);
    const reject = async (): Promise<never> => {
      throw new Error("late");
    };
    for (const f of [async () => 1, reject]) {
      const error = await failure(() => make("own", untyped(f))([1, 2, 3], ctx), "STEP_FAILED");
      assert.match(error.message, `${kind} "own" got a promise`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    assert.equal(unhandled, []);
  });
}

test("what isn't several objects is refused with what it is", async () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [5, /"own" got a number/],
    ["text", /"own" got a string/],
    [undefined, /"own" got undefined/],
    [null, /"own" got null/],
    [{ length: 1 }, /"own" got an object of Object/],
    [Object.create(null), /"own" got an object of no class/],
    [(async function* () {})(), /"own" got an asynchronous iterable/],
  ];
  for (const make of [flatMapping, batching]) {
    for (const [value, message] of cases) {
      const error = await failure(() => make("own", () => untyped(value))([1], ctx), "STEP_FAILED");
      assert.match(error.message, message);
      assert.match(error.message, "Return an array");
    }
    assert.equal(make("own", () => new Set([1, 2]))([1], ctx), [1, 2]);
  }
});

test("a frame function that returns no batch is refused", async () => {
  const { tableFromArrays } = await import("apache-arrow");
  const table = tableFromArrays({ n: [1] });
  const error = await failure(() => framing("own", () => ({ n: 1 }))([table], ctx), "STEP_FAILED");
  assert.match(error.message, /frame "own" got an object of Object.*Return an Arrow table or a Polars frame/);
  assert.is(framing("own", (batch) => batch)([table], ctx)[0], table);
});

test("a generator without an end is stopped by a limit", () => {
  const endless = function* (): Generator<number, void> {
    for (;;) yield 1;
  };
  try {
    flatMapping("own", endless)([1], ctx);
    assert.unreachable();
  } catch (error) {
    assert.is((error as QStreamError).code, "LIMIT_EXCEEDED");
    assert.match((error as QStreamError).message, /"own" made more than 16777216 objects of one parcel.*generator/);
  }
});

test.run();
