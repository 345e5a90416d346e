import type { Benchmark } from "../harness/benchmark.ts";

type Load = () => Promise<{ readonly benchmark: Benchmark }>;

/** All cases, by name; each is loaded in its own process only. */
export const benchmarks = {
  "objects-vs-rxjs": () => import("./objects-vs-rxjs.ts"),
  "objects-vs-loop": () => import("./objects-vs-loop.ts"),
  "two-slots": () => import("./two-slots.ts"),
  "exchange-vs-clone": () => import("./exchange-vs-clone.ts"),
  "columns-vs-polars": () => import("./columns-vs-polars.ts"),
  "scan-vs-polars": () => import("./scan-vs-polars.ts"),
  "wordcount-vs-script": () => import("./wordcount-vs-script.ts"),
  memory: () => import("./memory.ts"),
  channels: () => import("./channels.ts"),
  startup: () => import("./startup.ts"),
  "lineage-objects": () => import("./lineage-objects.ts"),
  "lineage-columns": () => import("./lineage-columns.ts"),
  "recovery-vs-restart": () => import("./recovery-vs-restart.ts"),
  checkpoint: () => import("./checkpoint.ts"),
  endless: () => import("./endless.ts"),
  pagerank: () => import("./pagerank.ts"),
  explore: () => import("./explore.ts"),
  simulation: () => import("./simulation.ts"),
  "wire-vs-tcp": () => import("./wire-vs-tcp.ts"),
  "wire-objects": () => import("./wire-objects.ts"),
  "wire-latency": () => import("./wire-latency.ts"),
  "cluster-vs-threads": () => import("./cluster-vs-threads.ts"),
  "machine-loss": () => import("./machine-loss.ts"),
  submit: () => import("./submit.ts"),
  "tell-vs-nact": () => import("./tell-vs-nact.ts"),
  "pingpong-vs-nact": () => import("./pingpong-vs-nact.ts"),
  skynet: () => import("./skynet.ts"),
  savina: () => import("./savina.ts"),
  "durable-lmdb": () => import("./durable-lmdb.ts"),
  "durable-redis": () => import("./durable-redis.ts"),
  "actor-memory": () => import("./actor-memory.ts"),
} as const satisfies Record<string, Load>;
