import * as assert from "uvu/assert";
import type { ChannelContext } from "../../../actors/channel/channel-context.ts";
import { ReaderWork } from "../../../actors/channel/reader-work.ts";
import type { Reader } from "../../../lib/core/contracts/reader.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("work of channels");

const ctx = { enter: () => {} } as unknown as ChannelContext;

function readerOf(reading: unknown): ReaderWork {
  const reader = { kind: "spec", splits: () => [0], read: () => reading } as unknown as Reader<unknown>;
  return new ReaderWork(reader, [{ index: 0, split: 0 }]);
}

test("a reader whose read returns nothing that can be iterated is told what it returned", async () => {
  const wrong: readonly (readonly [unknown, string, RegExp])[] = [
    [undefined, "returned undefined,", /an empty array/],
    [null, "returned null,", /an empty array/],
    [7, "returned a number,", /a generator/],
    ["text", "returned a string,", /a generator/],
    [{ rows: [] }, "returned an object,", /a generator/],
    [Promise.reject(new Error("nobody waits")), "returned a promise,", /async \*read/],
  ];
  for (const [reading, what, advice] of wrong) {
    const { message } = await failure(() => readerOf(reading).next(ctx), "STEP_FAILED");
    assert.match(message, what);
    assert.match(message, advice);
  }
});

test("arrays, sets and generators are read", () => {
  for (const reading of [[1], new Set([1]), (async function* () {})()])
    assert.ok(readerOf(reading).next(ctx) !== undefined);
});

test.run();
