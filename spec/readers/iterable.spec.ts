import fc from "fast-check";
import * as assert from "uvu/assert";
import { Run, run } from "../../lib/core/contracts/reader.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { items, iterable } from "../../readers/iterable.ts";
import { readerContract } from "../contract/reader.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("iterable readers");

async function objectsOf<T>(from: Reader<T>, channels = 1): Promise<T[]> {
  const splits = await from.splits({ channels, files: openFileSystem(), signal: new AbortController().signal });
  const found: T[] = [];
  for (const split of splits) {
    for await (const reading of from.read(split, testContext())) {
      if (reading instanceof Run) found.push(...(reading.objects as T[]));
      else found.push(reading as T);
    }
  }
  return found;
}

const codeIs = (code: string) => (error: unknown) => error instanceof QStreamError && error.code === code;

test("items gives every object once and in order, whatever the channels", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer(), { maxLength: 4000 }),
      fc.integer({ min: 1, max: 7 }),
      async (objects, channels) => {
        assert.equal(await objectsOf(items(objects), channels), objects);
      },
    ),
    { numRuns: 40 },
  );
});

test("items gives at most one split a channel, and none without objects", async () => {
  const request = { channels: 3, files: openFileSystem(), signal: new AbortController().signal };
  assert.is((await items([1, 2, 3, 4]).splits(request)).length, 3);
  assert.is((await items([1]).splits(request)).length, 1);
  assert.is((await items([]).splits(request)).length, 0);
});

test("items notices an array that isn't the same in every slot", () => {
  assert.throws(
    () => [...(items([1, 2]).read({ first: 0, end: 3, length: 3 }, testContext()) as Iterable<unknown>)],
    codeIs("BUILDER_IMPURE"),
  );
});

test("iterable reads sync and async generator functions, arrays and runs", async () => {
  const sync = iterable(function* () {
    yield 1;
    yield run([2, 3]);
  });
  assert.equal(await objectsOf(sync), [1, 2, 3]);
  assert.equal(await objectsOf(sync), [1, 2, 3]);
  const later = iterable(async function* () {
    yield await Promise.resolve("a");
    yield "b";
  });
  assert.equal(await objectsOf(later), ["a", "b"]);
  assert.equal(await objectsOf(iterable(() => new Set([1, 2]))), [1, 2]);
});

test("iterable is called once for all channels, or for each with its part", async () => {
  const single = iterable(() => [1]);
  assert.equal(await objectsOf(single, 4), [1]);
  const parts = iterable(({ index, count }) => [`${index}/${count}`], { parallelism: "per-slot" });
  assert.equal(await objectsOf(parts, 3), ["0/3", "1/3", "2/3"]);
});

test("iterable says of a function that it is replayable, and of an iterable that it isn't", async () => {
  assert.is(iterable(() => [1]).replayable, true);
  assert.is(iterable(() => [1], { replayable: false }).replayable, false);
  const once = iterable([1, 2].values());
  assert.is(once.replayable, false);
  assert.equal(await objectsOf(once, 4), [1, 2]);
  assert.throws(() => once.read({ index: 0, count: 1 }, testContext()), codeIs("UNSUPPORTED"));
  assert.is(iterable(() => [1], { endless: true }).endless, true);
});

test("iterable refuses what can't be iterated, and says what it got", async () => {
  const given: readonly (readonly [() => unknown, string])[] = [
    [() => 7, "got a number, which can't be iterated"],
    [() => undefined, "got undefined, "],
    [() => null, "got null, "],
    [() => ({}), "got an object, "],
    [() => Promise.reject(new Error("nobody waits")), "got a promise, .*async function"],
  ];
  for (const [source, words] of given) {
    const wrong = iterable(source as () => number[]);
    const read = async (): Promise<unknown> => wrong.read({ index: 0, count: 1 }, testContext());
    assert.match((await failure(read, "OPTION_INVALID")).message, new RegExp(words, "u"));
  }
});

readerContract(test, "items", () => items(Array.from({ length: 5000 }, (_, n) => n)));
readerContract(test, "iterable", () => iterable(() => Array.from({ length: 3000 }, (_, n) => n)));
test.run();
