import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import * as assert from "uvu/assert";
import kMeans, { type Clustered } from "../../../../examples/algorithms/k-means/k-means.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { inAnyOrder } from "../in-any-order.ts";
import type { LoopExample } from "../loop-example.ts";

type Point = readonly number[];

/** Points by the number of their cluster, in an order of their own: what is compared. */
function clustersOf(penguins: readonly Clustered[]): Map<number, string[]> {
  const clusters = new Map<number, string[]>();
  for (const { cluster, measures } of penguins.toSorted((a, b) => a.cluster - b.cluster)) {
    clusters.set(cluster, [...(clusters.get(cluster) ?? []), measures.join()].toSorted());
  }
  return clusters;
}

function meanOf(points: readonly Point[], at: number): number {
  return points.reduce((sum, point) => sum + (point[at] ?? 0), 0) / points.length;
}

/** Mean and deviation of each measure, by the definition. */
function spreadOf(points: readonly Point[]): { readonly mean: number; readonly deviation: number }[] {
  return (points[0] ?? []).map((_, at) => {
    const mean = meanOf(points, at);
    const square = points.reduce((sum, point) => sum + ((point[at] ?? 0) - mean) ** 2, 0) / points.length;
    return { mean, deviation: Math.sqrt(square) || 1 };
  });
}

/**
 * Checks that the loop has ended where k-means ends: each cluster's centre is the mean of its points, and no point is nearer to
 * another cluster's.
 */
function checkSettled(penguins: readonly Clustered[]): void {
  const points = penguins.map(({ measures }) => measures);
  const deviations = spreadOf(points).map(({ deviation }) => deviation);
  const numbers = [...new Set(penguins.map(({ cluster }) => cluster))];
  const centres = new Map(
    numbers.map((number) => {
      const own = penguins.filter(({ cluster }) => cluster === number).map(({ measures }) => measures);
      return [number, deviations.map((_, at) => meanOf(own, at))] as const;
    }),
  );
  const squareTo = (point: Point, number: number): number =>
    deviations.reduce((sum, by, at) => sum + (((point[at] ?? 0) - (centres.get(number)?.[at] ?? 0)) / by) ** 2, 0);
  for (const { measures, cluster } of penguins) {
    const least = Math.min(...numbers.map((number) => squareTo(measures, number)));
    assert.ok(
      squareTo(measures, cluster) <= least + 1e-9,
      `${measures.join()} is nearer to another centre than that of ${cluster}`,
    );
  }
}

const tables = fc.array(fc.tuple(fc.integer({ min: 300, max: 306 }), fc.integer({ min: 150, max: 153 })), {
  minLength: 1,
  maxLength: 30,
  size: "max",
});

async function withTable(
  rows: readonly (readonly [number, number])[],
  body: (table: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "qstream-penguins-"));
  const table = join(folder, "penguins.json");
  const penguins = rows.map(([length, depth]) => ({
    "Beak Length (mm)": length / 10,
    "Beak Depth (mm)": depth / 10,
    "Flipper Length (mm)": 180,
    "Body Mass (g)": length * depth,
  }));
  try {
    writeFileSync(table, JSON.stringify(penguins));
    await body(table);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checks drawn tables, in which points are often the same, or fewer than clusters. */
async function onDrawnData(flow: typeof kMeans, runs: number): Promise<void> {
  await inAnyOrder(
    tables,
    (rows, channels, options) =>
      withTable(rows, async (table) => {
        const { penguins } = await flow.run({ table, clusters: 4, channels }, options);
        assert.is(penguins.length, rows.length);
        const distinct = new Set(rows.map((row) => row.join())).size;
        assert.is(clustersOf(penguins).size, Math.min(4, distinct), "clusters");
        checkSettled(penguins);
        const { penguins: alone } = await flow.run({ table, clusters: 4, channels: 1 }, options);
        assert.equal(clustersOf(penguins), clustersOf(alone));
      }),
    runs,
  );
}

export const kMeansExample: LoopExample = {
  module: "k-means/k-means",
  async onRealData(on) {
    for (const seed of [1, 6]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { penguins } = await kMeans.run({ channels: 1, seed }, { on });
      assert.is(penguins.length, 342, "two of 344 weren't measured");
      checkSettled(penguins);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const again = await kMeans.run({ channels: 5, seed }, { on });
      assert.equal(clustersOf(again.penguins), clustersOf(penguins));
    }
  },
  onDrawnData: (flow, runs) => onDrawnData(flow as typeof kMeans, runs),
  underFaults: [(options) => checkSeeds(kMeans, {}, options)],
  mistakes: {
    "the loop ends by what one channel says": [["left.changed + right.changed", "left.changed"]],
    "the loop ends after some rounds": [["round > 0 && vote?.changed === 0", "round >= 2"]],
    "what a cluster was before is added to what it is": [["this.#parts = [];", ""]],
    "the first centres are the first points of a channel": [["left.lot - right.lot || (a < b ? -1 : 1)", "0"]],
    "measures count by their numbers": [["/ (deviations[at] ?? 1)", "/ 1"]],
  },
  prints: / 5,?076 g +0 +0 +123$/m,
};
