import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { local, type Execution, type Session } from "qstream";
import { numbersParquet } from "../data/numbers-parquet.ts";
import { flightsByOrigin, numbersByKey, type Totals } from "../flows/scans.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, round, type Contest } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { groupInPolars, type Group } from "../peers/polars-scan.ts";

export const benchmark: Benchmark = {
  name: "scan-vs-polars",
  workload:
    "3 M flights by origin, and 20 M rows by a numeric key, through a flow; one streaming query of Polars; the worse of the two",
  bar: { atLeast: 0.8 },
  unit: "x",
  measure,
};

interface Scan {
  readonly path: string;
  readonly key: string;
  readonly value: string;
  readonly rows: number;
  readonly start: (
    on: Session,
  ) => Promise<Execution<{ groups: readonly { readonly key: string | number; readonly value: Totals }[] }>>;
}

async function measure(): Promise<Measured> {
  const numbers = numbersParquet();
  const vega = dirname(createRequire(import.meta.url).resolve("vega-datasets"));
  const flights = join(vega, "../data/flights-3m.parquet");
  await using session = await local({ slots: 2, store: "none" });
  const byOrigin = await compare(session, {
    path: flights,
    key: "origin",
    value: "delay",
    rows: 3_000_000,
    start: (on) => flightsByOrigin.start({ path: flights }, { on }),
  });
  const byKey = await compare(session, {
    ...numbers,
    key: "key",
    value: "amount",
    start: (on) => numbersByKey.start({ path: numbers.path }, { on }),
  });
  const worse = byOrigin.ratio < byKey.ratio ? byOrigin : byKey;
  return {
    value: worse.ratio,
    details: {
      flights: describe(byOrigin),
      numbers: describe(byKey),
      ...detailsOf(worse, worse === byOrigin ? 3_000_000 : numbers.rows, "M rows/s"),
    },
  };
}

function compare(session: Session, scan: Scan): Promise<Contest> {
  const passage = { from: "parts", to: "groups" };
  return contest<readonly Group[]>(
    {
      name: "QStream",
      run: async () =>
        (await outputsOf(scan.start(session), passage)).groups.map(({ key, value }) => ({
          key,
          rows: value.rows,
          sum: value.sum,
        })),
    },
    { name: "Polars", run: () => groupInPolars(scan.path, scan.key, scan.value) },
    {
      warmups: 3,
      rounds: 9,
      comparable: (groups) => groups.toSorted((left, right) => (left.key < right.key ? -1 : 1)),
    },
  );
}

function describe({ ratio, oursMs, peerMs }: Contest): string {
  return `${round(ratio)} x (${round(oursMs)} ms / ${round(peerMs)} ms)`;
}
