import fc from "fast-check";
import * as assert from "uvu/assert";
import { Run } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { numbers } from "../../readers/numbers.ts";
import type { NumbersOptions } from "../../readers/numbers.ts";
import { readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("numbers reader");

async function numbersOf(from: number, to: number, channels: number, options?: NumbersOptions): Promise<number[]> {
  const reader = numbers(from, to, options);
  const splits = await reader.splits({ channels, files: openFileSystem(), signal: new AbortController().signal });
  const found: number[] = [];
  for (const split of splits) {
    for await (const reading of reader.read(split, testContext())) {
      assert.instance(reading, Run);
      const { objects } = reading as Run<number>;
      assert.ok(objects.length <= 1024);
      found.push(...objects);
    }
  }
  return found;
}

test("gives every number once and in order, whatever the channels", async () => {
  const numbers = fc.integer({ min: -5000, max: 5000 });
  const steps = fc.integer({ min: -7, max: 7 }).filter((step) => step !== 0);
  await fc.assert(
    fc.asyncProperty(numbers, numbers, steps, fc.integer({ min: 1, max: 9 }), async (from, to, step, channels) => {
      const expected: number[] = [];
      for (let at = from; step > 0 ? at < to : at > to; at += step) expected.push(at);
      assert.equal(await numbersOf(from, to, channels, { step }), expected);
    }),
    { numRuns: 60 },
  );
});

test("doesn't drift with a fractional step", async () => {
  const numbers = await numbersOf(0, 1000, 3, { step: 0.1 });
  assert.is(numbers.length, 10_000);
  assert.is(numbers[9999], 9999 * 0.1);
});

test("has no splits when it is empty", async () => {
  assert.equal(await numbersOf(5, 5, 4), []);
  assert.equal(await numbersOf(5, 9, 4, { step: -1 }), []);
});

test("refuses what is no range", () => {
  for (const [from, to, step] of [
    [0, Number.POSITIVE_INFINITY, 1],
    [Number.NaN, 1, 1],
    [0, 1, 0],
    [0, 1e300, 1],
  ] as const) {
    assert.throws(
      () => numbers(from, to, { step }),
      (error: unknown) => error instanceof QStreamError && error.code === "OPTION_INVALID",
    );
  }
});

readerContract(test, "numbers", () => numbers(0, 5000));

test.run();
