import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { measureDurable } from "../harness/durable.ts";
import { startRedisServer } from "../harness/redis-server.ts";

export const benchmark: Benchmark = {
  name: "durable-redis",
  workload: "1,000 durable actors on Redis; killed by SIGKILL, read back and verified; transitions a second",
  bar: { atLeast: 50_000 },
  unit: "/s",
  measure,
};

async function measure(): Promise<Measured> {
  await using server = await startRedisServer();
  if (server === undefined) throw new Error("there is no redis-server on PATH");
  return await measureDurable(["first", "second", "third"].map((prefix) => `${server.url}?prefix=${prefix}`));
}
