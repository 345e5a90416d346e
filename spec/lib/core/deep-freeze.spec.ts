import * as arrow from "apache-arrow";
import pl from "nodejs-polars";
import * as assert from "uvu/assert";
import { deepFreeze } from "../../../lib/core/deep-freeze.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("deep freeze");

test("objects and arrays are frozen in depth, also below a missing value", () => {
  const object = { missing: undefined, list: [1, { deep: { n: 1 } }], none: null };
  deepFreeze(object);
  for (const frozen of [object, object.list, object.list[1], (object.list[1] as { deep: object }).deep]) {
    assert.ok(Object.isFrozen(frozen));
  }
});

test("typed arrays, columnar batches and classes are left as they are", () => {
  const frame = pl.DataFrame({ n: [1, 2] });
  const table = arrow.tableFromArrays({ n: [1, 2] });
  const held = { bytes: Uint8Array.of(1), at: new Date(0), frame, table };
  deepFreeze([held]);
  held.bytes[0] = 2;
  held.at.setTime(5);
  assert.ok(Object.isFrozen(held));
  assert.equal(frame.getColumn("n").toArray(), [1, 2]);
  assert.is(table.getChild("n")?.get(1), 2);
});

test.run();
