import * as assert from "uvu/assert";
import { countObjects, mergeCounts, partialCount } from "../../operators/count.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar } from "./batches.ts";
import { cut, drive } from "./drive.ts";

const test = suite("count");

test("counts objects, and none of an empty stream", async () => {
  assert.equal(await drive(countObjects(), cut(["a", "b", "c"], [2]), { restoring: true }), [3]);
  assert.equal(await drive(countObjects(), []), [0]);
});

test("counts the rows of batches", async () => {
  const rows = Array.from({ length: 10 }, (_, n) => ({ n }));
  for (const representation of columnar) {
    assert.equal(
      await drive(countObjects(), await batchTasks(rows, [3, 4], representation), { restoring: true }),
      [10],
    );
  }
});

test("counts of channels add up", async () => {
  const parts = [...(await drive(partialCount(), cut([1, 2], [1]))), ...(await drive(partialCount(), cut([3], [1])))];
  assert.equal(await drive(mergeCounts(), cut(parts, [1]), { restoring: true }), [3]);
});

test.run();
