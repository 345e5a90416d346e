import fc from "fast-check";
import * as assert from "uvu/assert";
import { limit, partialLimit } from "../../operators/limit.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar, rowsOf } from "./batches.ts";
import { cut, drive, driveFully } from "./drive.ts";

const test = suite("limit");

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });

test("passes as many objects on as it may, and stops then", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer(), { maxLength: 30 }),
      fc.nat(20),
      sizes,
      fc.boolean(),
      async (numbers, n, sizes, restoring) => {
        const { objects, ctx } = await driveFully(limit<number>(n), cut(numbers, sizes), { restoring });
        assert.equal(objects, numbers.slice(0, n));
        assert.is(ctx.stopped, numbers.length >= n && numbers.length > 0);
      },
    ),
    { numRuns: 60 },
  );
});

test("slices batches", async () => {
  const rows = Array.from({ length: 20 }, (_, n) => ({ n }));
  for (const representation of columnar) {
    const batches = await drive(partialLimit(11), await batchTasks(rows, [4, 5], representation), { restoring: true });
    assert.equal(await rowsOf(batches), rows.slice(0, 11));
  }
});

test("a limit that is no count is refused", () => {
  assert.throws(() => limit(-1), /a limit can't be -1/);
  assert.throws(() => limit(1.5), /a limit can't be 1.5/);
});

test.run();
