// The flows that are simulated on clusters.
import { defineFlow, numbers, type Flow } from "../../../../lib/index.ts";
import type { ClusterSimulationOptions } from "../../../../lib/testing/simulation/cluster/simulate-cluster.ts";

export interface ClusterFlow {
  readonly flow: Flow<never, Record<string, unknown>>;
  readonly args: object;
  readonly options: Pick<ClusterSimulationOptions, "limits">;
}

// Many small parcels: there is something on its way whenever something happens.
const limits = { parcelObjects: 16, inputObjects: 48, spoolMemoryBytes: 0, lingerMs: 1 };

/** State by key, cut twice. */
const keyed = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const sums = q.read("numbers", numbers(0, upTo), { channels: 2 }).reduceByKey(
    "sums",
    (value) => value % 17,
    () => 0,
    (sum, value) => sum + value,
    { merge: (left, right) => left + right, channels: 3 },
  );
  return { sums: sums.collect() };
});

/** Streams that part and meet again. */
const diamond = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo), { channels: 2 });
  const even = all.filter("even", (value) => value % 2 === 0);
  const odd = all.filter("odd", (value) => value % 2 === 1).map("pair", (value) => ({ to: value - 1, value }));
  const joined = even.join("join", odd, {
    left: (value) => value,
    right: "to",
    combine: (left, { value }): number => left + value,
  });
  return { joined: joined.collect() };
});

/** What was taken out by key, and sorted. */
const sorted = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo), { channels: 3 });
  const kinds = all.map("kind", (value) => value % 101).distinct("kinds");
  return {
    sorted: kinds
      .map("row", (kind) => ({ kind }))
      .sort("sort", "kind", { channels: 1 })
      .collect(),
  };
});

function clusterFlow<Args extends object>(flow: Flow<Args, Record<string, unknown>>, args: Args): ClusterFlow {
  return { flow: flow as unknown as ClusterFlow["flow"], args, options: { limits } };
}

export const clusterFlows = {
  keyed: clusterFlow(keyed as never, { upTo: 1500 }),
  diamond: clusterFlow(diamond as never, { upTo: 900 }),
  sorted: clusterFlow(sorted as never, { upTo: 1500 }),
};

export type ClusterFlowName = keyof typeof clusterFlows;

/** Adds how often faults struck. */
export function struckKinds(sums: Map<string, number>, faults: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(faults)) sums.set(kind, (sums.get(kind) ?? 0) + count);
}
