import { tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { union } from "../../operators/union.ts";
import { suite } from "../kit/suite.ts";
import { drive } from "./drive.ts";

const test = suite("union");

test("passes on what any input brings", async () => {
  const table = tableFromArrays({ n: [1, 2] });
  const tasks = [
    { input: "a", objects: [1, 2] },
    { input: "b", objects: ["x"] },
    { input: "a", objects: [3] },
    { input: "c", objects: [table] },
  ];
  for (const restoring of [false, true]) {
    assert.equal(await drive(union<{ a: number; b: string; c: unknown }>(), tasks, { restoring }), [
      1,
      2,
      "x",
      3,
      table,
    ]);
  }
});

test("hands on the very array it got", () => {
  const objects = [1, 2, 3];
  assert.is(
    union<{ in: number }>()
      .create()
      .execute({ input: "in", objects }, {} as never),
    objects,
  );
});

test.run();
