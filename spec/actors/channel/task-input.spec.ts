import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import * as assert from "uvu/assert";
import type { Parcel } from "../../../actors/channel/parcel.ts";
import { decodeParcels } from "../../../actors/channel/task-input.ts";
import { encodeObjects } from "../../../lib/core/codec/index.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("a task's input");

const objectsOf = (seq: number): readonly { seq: number; index: number }[] =>
  Array.from({ length: 1000 }, (_, index) => ({ seq, index }));

function parcelOf(seq: number, content: Parcel["content"]): Parcel {
  return { from: 0, seq, previous: seq - 1, rows: 1000, bytes: 1000, columnar: false, content };
}

const parcels = [0, 1, 2, 3].map((seq) =>
  parcelOf(seq, seq % 2 === 0 ? { objects: objectsOf(seq) } : { payload: encodeObjects(objectsOf(seq)) }),
);

test("the objects of several parcels come in the parcels' order", () => {
  assert.equal(
    decodeParcels(parcels),
    [0, 1, 2, 3].flatMap((seq) => objectsOf(seq)),
  );
  assert.equal(decodeParcels(parcels.slice(1, 2)), objectsOf(1));
});

test("they are in an array of elements, no hash table, also where Arrow's vectors can be spread by concat", async () => {
  await import("apache-arrow");
  setFlagsFromString("--allow-natives-syntax");
  const isHashTable = runInThisContext("(list) => %HasDictionaryElements(list)") as (list: unknown) => boolean;
  assert.ok(isHashTable(Array.from<unknown>([1]).concat(objectsOf(0))), "the engine has changed: concat would do");
  assert.not.ok(isHashTable(decodeParcels(parcels)));
});

test.run();
