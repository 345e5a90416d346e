import fc from "fast-check";
import * as assert from "uvu/assert";
import { partialTopK, topK } from "../../operators/top-k.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar, rowsOf } from "./batches.ts";
import { cut, drive } from "./drive.ts";

const test = suite("top k");

interface Row {
  readonly n: number | null;
  readonly text: string;
}

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({ n: fc.option(fc.integer({ min: -5, max: 5 })), text: fc.constantFrom("a", "b", "\u{1f600}", "\uffee") }),
  { maxLength: 40 },
);

const keysOf = (objects: readonly Row[]): (number | null)[] => objects.map(({ n }) => n);

/** The keys of the first k, with missing ones last. */
function expected(objects: readonly Row[], k: number, descending: boolean): (number | null)[] {
  const numbers = keysOf(objects).filter((n) => n !== null);
  numbers.sort((a, b) => (descending ? b - a : a - b));
  return [...numbers, ...keysOf(objects).filter((n) => n === null)].slice(0, k);
}

test("keeps the largest or smallest objects, in order, also in two halves", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 9 }),
      sizes,
      fc.boolean(),
      fc.boolean(),
      async (objects, k, sizes, restoring, descending) => {
        const options = { k, by: "n", order: descending ? "descending" : "ascending" } as const;
        const whole = await drive(topK<Row>(options), cut(objects, sizes), { restoring });
        assert.equal(keysOf(whole), expected(objects, k, descending));
        const half = Math.floor(objects.length / 2);
        const parts = [objects.slice(0, half), objects.slice(half)].map((part) =>
          drive(partialTopK<Row>(options), cut(part, sizes)),
        );
        const merged = await drive(topK<Row>(options), cut((await Promise.all(parts)).flat(), sizes));
        assert.equal(keysOf(merged), expected(objects, k, descending));
      },
    ),
    { numRuns: 50 },
  );
});

test("looks at few of many objects again", async () => {
  const objects = Array.from({ length: 30_000 }, (_, n) => ({ n: (n * 7919) % 30_011, text: "" }));
  const largest = await drive(topK({ k: 3, by: ({ n }: Row) => n }), cut(objects, [1000]));
  assert.equal(keysOf(largest), expected(objects, 3, true));
});

for (const representation of columnar) {
  test(`keeps rows of ${representation} batches, by several columns`, async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 9 }),
        sizes,
        fc.boolean(),
        async (objects, k, sizes, restoring) => {
          const options = { k, by: [{ by: "text", order: "ascending" }, "n"] } as const;
          const columnarRows = await rowsOf(
            await drive(topK<Row>(options as never), await batchTasks(objects, sizes, representation), { restoring }),
          );
          const plain = await drive(topK<Row>(options as never), cut(objects, sizes));
          assert.equal(
            columnarRows,
            plain.map(({ n, text }) => ({ n, text })),
          );
        },
      ),
      { numRuns: 20 },
    );
  });
}

test("options and streams that make no sense are refused", async () => {
  assert.throws(() => topK({ k: 0, by: "n" as never }), /can't keep 0 objects/);
  const mixed = [{ input: "in", objects: [{ n: 1 }] }, ...(await batchTasks([{ n: 1 }], [1], "arrow"))];
  const error = await drive(topK<{ n: number }>({ k: 1, by: "n" }), mixed).catch((error: unknown) => error);
  assert.is((error as { code?: string }).code, "MIXED_REPRESENTATION");
});

test.run();
