import type { Representation } from "../../lib/core/contracts/operator.ts";
import type { FlowBuilder, QStream } from "../../lib/index.ts";
import { arrowTable, items, polarsFrame } from "../../lib/index.ts";

export interface Row {
  readonly k: string;
  readonly n: number;
}

/** Small data that operators and sinks are tried with: equal keys, equal rows, equal numbers. */
export const rows: readonly Row[] = [
  { k: "a", n: 1 },
  { k: "b", n: 2 },
  { k: "a", n: 3 },
  { k: "c", n: 2 },
  { k: "a", n: 1 },
];

export const otherRows: readonly Row[] = [
  { k: "a", n: 10 },
  { k: "d", n: 20 },
];

export const representations: readonly Representation[] = ["objects", "arrow", "polars"];

/** A stream of the rows in a representation. Whatever it holds, it is typed as rows: methods take column names of these. */
export function streamOf(
  q: FlowBuilder,
  id: string,
  objects: readonly Row[],
  representation: Representation,
): QStream<Row> {
  const columns = { k: objects.map(({ k }) => k), n: objects.map(({ n }) => n) };
  const one = { channels: 1 };
  if (representation === "arrow") {
    const table = arrowTable(async () => {
      const { tableFromArrays } = await import("apache-arrow");
      return tableFromArrays({ k: columns.k, n: Float64Array.from(columns.n) });
    });
    return q.read(id, table, one) as unknown as QStream<Row>;
  }
  if (representation === "polars") {
    const frame = polarsFrame(async () => (await import("nodejs-polars")).DataFrame(columns));
    return q.read(id, frame, one) as unknown as QStream<Row>;
  }
  return q.read(id, items(objects), one);
}

/** Results in which only values count: bigints of batches become numbers, objects lose their prototypes and order. */
export function plain(result: readonly unknown[]): unknown[] {
  const text = JSON.stringify(result, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value));
  return (JSON.parse(text) as unknown[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
