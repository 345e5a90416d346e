import * as assert from "uvu/assert";
import { run } from "../../lib/core/contracts/reader.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import { reader } from "../../readers/reader.ts";
import { readAll, readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("readers of functions");

test("reader makes a reader of functions, and its splits flow to read", async () => {
  const made = reader({
    splits: ({ channels }) => Array.from({ length: channels }, (_, from) => ({ from: from * 10 })),
    *read({ from }) {
      yield from;
      yield run([from + 1]);
    },
  });
  const typed: Reader<number, { from: number }> = made;
  assert.is(typed.kind, "custom");
  assert.equal((await readAll(typed, { channels: 2 })).objects, [0, 1, 10, 11]);
});

test("the type of a split is the one that splits gives", () => {
  reader({
    splits: () => [{ page: 1 }],
    // @ts-expect-error -- a split has no `pages`
    read: ({ pages }) => [pages],
  });
});

readerContract(test, "reader", () => reader({ splits: () => [0, 2000], read: (first) => [run([first, first + 1])] }));

test.run();
