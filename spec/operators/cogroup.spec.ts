import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { QStreamError } from "../../lib/core/errors.ts";
import { cogroup, type CogroupOptions } from "../../operators/cogroup.ts";
import { suite } from "../kit/suite.ts";
import { cut, drive } from "./drive.ts";

const test = suite("cogroup");

type Item = { k: string | null; n: number };
const counts = () =>
  cogroup({
    left: (item: Item) => item.k,
    right: "k",
    combine: (key, lefts: readonly Item[], rights: readonly Item[]) =>
      `${String(key)}:${lefts.reduce((sum, item) => sum + item.n, 0)}:${rights.length}`,
  });

test("combines the groups of equal keys, whatever the batches", async () => {
  const items = fc.array(fc.record({ k: fc.constantFrom("a", "b", "c", null), n: fc.nat(9) }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      items,
      items,
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      async (left, right, size, restoring) => {
        const tasks = [...cut(right, [size], "right"), ...cut(left, [size + 1], "left")];
        const out = await drive(counts(), tasks, { restoring });
        const keys = new Set([...left, ...right].map(({ k }) => k));
        const expected = [...keys].map((key) => {
          const sum = left.filter(({ k }) => k === key).reduce((total, { n }) => total + n, 0);
          return `${String(key)}:${sum}:${right.filter(({ k }) => k === key).length}`;
        });
        assert.equal(out.toSorted(), expected.toSorted());
      },
    ),
    { numRuns: 60 },
  );
});

test("counts as order-sensitive unless told otherwise", () => {
  const options: CogroupOptions<{ k: number }, { k: number }, number> = { left: "k", right: "k", combine: () => 1 };
  assert.equal(
    [cogroup(options).declares, cogroup({ ...options, declares: "confluent" }).declares],
    ["order-sensitive", "confluent"],
  );
});

test("refuses more state than its limit", async () => {
  const definition = cogroup({ left: "k", right: "k", combine: () => 1, stateBytesMax: 100 });
  try {
    await drive(
      definition,
      cut(
        Array.from({ length: 100 }, (_, k) => ({ k })),
        [10],
        "left",
      ),
    );
    assert.unreachable();
  } catch (error) {
    assert.is((error as QStreamError).code, "LIMIT_EXCEEDED");
  }
});

test.run();
