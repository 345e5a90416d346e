import { cluster, type ClusterOptions, type ClusterSession } from "qstream";
import { LoopbackCluster, type LoopbackClusterOptions } from "qstream/testing";
import { startRedisServer, type RedisServer } from "./redis-server.ts";

/** A head and workers on loopback, each a process, with a Redis of their own. */
export interface BenchmarkCluster extends AsyncDisposable {
  readonly machines: LoopbackCluster;
  /** The Redis that lineage is in. */
  readonly store: string;
  /** Opens a session on it, which is the caller's to close. */
  readonly session: (options?: Pick<ClusterOptions, "store">) => Promise<ClusterSession>;
}

/** Starts a cluster; one that is to have machines with tags gets them from `addMachine`. */
export async function startCluster(options: Omit<LoopbackClusterOptions, "store">): Promise<BenchmarkCluster> {
  const redis = await startRedisServer();
  if (redis === undefined)
    throw new Error("a cluster keeps its lineage in Redis, and there is no redis-server on PATH");
  try {
    return withRedis(await LoopbackCluster.start({ leaseMs: 10_000, ...options, store: redis.url }), redis);
  } catch (error) {
    await redis[Symbol.asyncDispose]();
    throw error;
  }
}

/** A cluster of two machines of one slot: steps placed with `tagged("sender")` and `tagged("receiver")` are on different ones. */
export async function startPair(): Promise<BenchmarkCluster> {
  const pair = await startCluster({ machines: 0 });
  try {
    await pair.machines.addMachine(["--tag", "sender"]);
    await pair.machines.addMachine(["--tag", "receiver"]);
    return pair;
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
}

function withRedis(machines: LoopbackCluster, redis: RedisServer): BenchmarkCluster {
  return {
    machines,
    store: redis.url,
    session: (options) => cluster({ url: machines.url, ...options }),
    async [Symbol.asyncDispose]() {
      await machines.stop();
      await redis[Symbol.asyncDispose]();
    },
  };
}
