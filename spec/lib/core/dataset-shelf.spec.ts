import * as assert from "uvu/assert";
import { DatasetShelf } from "../../../lib/core/dataset-shelf.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("shelves of datasets");

function shelfOf(bytesMax: number): { readonly shelf: DatasetShelf; readonly pass: (ms: number) => void } {
  let now = 0;
  const shelf = new DatasetShelf("a0", { bytesMax, idleMs: 1000, clock: { monotonic: () => now } });
  return { shelf, pass: (ms) => (now += ms) };
}

const part = (dataset: string, bytes: number) => ({ dataset, channel: 0, payloads: [], rows: 1, bytes });

test("a shelf keeps no more than it may, and a part that is made again takes the place of the first", async () => {
  const { shelf } = shelfOf(100);
  shelf.put("run", part("a", 60));
  shelf.put("run", part("a", 70));
  assert.is(shelf.room, 30);
  const full = await failure(() => shelf.put("run", part("b", 31)), "LIMIT_EXCEEDED");
  assert.match(full.message, "room for 30 more bytes");
  shelf.put("run", part("b", 30));
  shelf.release("a");
  assert.is(shelf.room, 70);
  await failure(() => shelf.get("a", 0), "DATASET_RELEASED");
});

test("what nobody has used for long goes where room is needed, oldest first, and not before", () => {
  const { shelf, pass } = shelfOf(100);
  for (const name of ["a", "b", "c"]) {
    shelf.put("run", part(name, 30));
    pass(10);
  }
  shelf.keep("run");
  pass(2000);
  shelf.get("a", 0);
  assert.is(shelf.room, 70);
  shelf.put("later", part("d", 35));
  assert.is(shelf.get("a", 0).bytes, 30);
  assert.throws(() => shelf.get("b", 0));
  assert.is(shelf.get("c", 0).bytes, 30);
});

test("without limits it keeps all, and what failed is forgotten", () => {
  const shelf = new DatasetShelf("a0");
  shelf.put("run", part("a", 2 ** 50));
  assert.is(shelf.room, Infinity);
  shelf.drop("run");
  assert.throws(() => shelf.get("a", 0));
});

test.run();
