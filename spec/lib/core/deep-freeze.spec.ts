import * as arrow from "apache-arrow";
import pl from "nodejs-polars";
import * as assert from "uvu/assert";
import { deepFreeze, watchUnfrozen } from "../../../lib/core/deep-freeze.ts";
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

test("what can't be frozen is watched: bytes, dates, Maps and Sets, also within each other", () => {
  const objects = [
    {
      bytes: new Float64Array(3),
      at: new Date(0),
      map: new Map([["a", { set: new Set([1]) }]]),
      buffer: new ArrayBuffer(4),
    },
  ] as const;
  const [{ bytes, at, map, buffer }] = objects;
  deepFreeze(objects);
  const changes: readonly (readonly [string, () => unknown])[] = [
    ["a Float64Array", () => (bytes[1] = 5)],
    ["a Date", () => at.setTime(1)],
    ["a Map", () => map.set("a", { set: new Set() })],
    ["a Map", () => map.set("b", { set: new Set([5]) })],
    ["a Set", () => map.get("b")?.set.add(2)],
    ["a ArrayBuffer", () => new Uint8Array(buffer).fill(1)],
  ];
  for (const [what, change] of changes) {
    const changed = watchUnfrozen(objects);
    assert.is(changed(), undefined);
    change();
    assert.is(changed(), what);
  }
});

test.run();
