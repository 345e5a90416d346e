import * as assert from "uvu/assert";
import { loadBatches } from "../../lib/core/batch/index.ts";
import type { Representation } from "../../lib/core/contracts/operator.ts";
import { aggregate, count, first, max, mean, partialAggregate, roundRobin, sum } from "../../lib/index.ts";
import {
  checkConfluence,
  runInOrder,
  type CheckConfluenceOptions,
  type ConfluenceReport,
} from "../../lib/testing/index.ts";
import { halfCases, operatorCases, secondHalves, type OperatorCase } from "../docs/operator-cases.ts";
import type { Row } from "../docs/rows.ts";
import { suite } from "../kit/suite.ts";

const test = suite("confluence of operators");

type Definition = OperatorCase["definition"];
type Options = CheckConfluenceOptions<Record<string, unknown>, unknown>;

const rows: readonly Row[] = Array.from({ length: 16 }, (_, at) => ({ k: "abcde"[at % 5] ?? "", n: (at * 7) % 8 }));
const otherRows: readonly Row[] = Array.from({ length: 9 }, (_, at) => ({ k: "acegi"[at % 5] ?? "", n: at % 4 }));
const parts = Array.from({ length: 20 }, (_, at) => ({ key: "abc"[at % 3] ?? "", value: at }));
const numbersOf = (result: readonly unknown[]): number[] => (result as readonly Row[]).map(({ n }) => n);
const sameLength: Options["equal"] = (left, right) => left.length === right.length;
const sameNumbers: Options["equal"] = (left, right) => numbersOf(left).join() === numbersOf(right).join();
const roundRobins = { "0": roundRobin(), "1": roundRobin() };

/** What counts as right of operators with several right results, and how objects reach channels where no key says it. */
const ofKinds: Readonly<Record<string, Options>> = {
  limit: { equal: sameLength },
  partialLimit: { equal: sameLength },
  sort: { equal: sameNumbers },
  topK: { equal: sameNumbers },
  partialTopK: { equal: sameNumbers },
  union: { partitions: roundRobins },
};

function check(
  name: string,
  definition: Definition,
  inputs: Record<string, readonly unknown[]>,
  options: Options = {},
) {
  return checkConfluence<Record<string, unknown>, unknown>(definition, inputs, { name, seeds: 20, ...options });
}

function passes(name: string, { counterExample, runs, seeds }: ConfluenceReport): void {
  assert.is(counterExample, undefined, `${name}: ${counterExample?.text}`);
  assert.is(runs, 1 + 2 * seeds);
}

function inputsOf(name: string, left: readonly unknown[], right: readonly unknown[]) {
  if (name === "union") return { "0": left, "1": right };
  return /[Jj]oin|cogroup|zip/u.test(name) ? { left, right } : { in: left };
}

async function batchesOf(objects: readonly Row[], representation: Representation): Promise<readonly unknown[]> {
  const support = await loadBatches();
  return representation === "objects" ? objects : [support.fromObjects(objects as never, representation)];
}

for (const representation of ["objects", "arrow", "polars"] as const) {
  test(`every built-in operator passes what it declares, of ${representation}`, async () => {
    // Batches of a row each take long: of them, every variation is tried once.
    const few = representation === "objects" ? rows.length : 4;
    const left = await batchesOf(rows.slice(0, few), representation);
    const right = await batchesOf(otherRows.slice(0, few), representation);
    for (const [name, { definition }] of Object.entries({ ...operatorCases, ...halfCases })) {
      if (!definition.representations.includes(representation)) continue;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const report = await check(name, definition, inputsOf(name, left, right), {
        ...ofKinds[name],
        seeds: representation === "objects" ? 30 : 10,
      });
      passes(name, report);
      assert.is((report.variations.arrival ?? 0) > 0, report.declares !== "order-sensitive", name);
    }
  });
}

test("second halves pass what they declare, of what first halves give", async () => {
  const aggregates = { rows: count(), most: max("n") };
  const half = partialAggregate<Row>({ by: "k", aggregates });
  const steps = [0, 5, 10].map((from) => ({ kind: "take" as const, input: "in", objects: rows.slice(from, from + 5) }));
  const states = await Promise.all(steps.map((step) => runInOrder(half, { steps: [step] })));
  const merging = secondHalves["mergeAggregates"] as Definition;
  passes("mergeAggregates", await check("mergeAggregates", merging, { in: states.flat() }));
  passes("mergeByKey", await check("mergeByKey", secondHalves["mergeByKey"] as Definition, { in: parts }));
  const counts = { in: [3, 1, 4, 1, 5, 9, 2, 6] };
  passes("mergeCounts", await check("mergeCounts", secondHalves["mergeCounts"] as Definition, counts));
});

test("aggregates that depend on order say so, and those that claim not to don't", async () => {
  const fractions = rows.map(({ k, n }) => ({ k, n: n / 10 }));
  const aggregates = { total: sum("n"), middle: mean("n") } as const;
  const options = { by: "k", aggregates, representation: "objects" } as const;
  const exact = aggregate<Row, "k", typeof aggregates>(options);
  assert.is(exact.declares, "confluent");
  passes("sums of fractions", await check("sums", exact, { in: fractions }));
  const any = aggregate<Row, "k", { one: ReturnType<typeof first<"n">> }>({ by: "k", aggregates: { one: first("n") } });
  assert.is(any.declares, "arbitrary-choice");
  const keys = (result: readonly unknown[]): string =>
    (result as readonly Row[])
      .map(({ k }) => k)
      .toSorted()
      .join();
  passes("first", await check("first", any, { in: rows }, { equal: (a, b) => keys(a) === keys(b) }));
  // Its two rows of one key, in either order.
  const claimed = await check("first", any, { in: rows }, { declares: "confluent" });
  assert.is(claimed.counterExample?.objects, 2);
});

test.run();
