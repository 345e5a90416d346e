import { cluster, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";

/** A cluster of two machines of one slot each, started when it is first needed. */
export class WarmCluster {
  #opened: Promise<{ redis: RedisServer; machines: LoopbackCluster; session: ClusterSession }> | undefined;

  #isThere: Promise<boolean> | undefined;

  /** False, and said once, where there is no Redis to be had. */
  isThere(): Promise<boolean> {
    return (this.#isThere ??= hasRedisServer());
  }

  async session(): Promise<ClusterSession> {
    return (await (this.#opened ??= this.#open())).session;
  }

  async #open(): Promise<{ redis: RedisServer; machines: LoopbackCluster; session: ClusterSession }> {
    const redis = await startRedisServer();
    const machines = await LoopbackCluster.start({ store: redis.url, leaseMs: 5000 });
    return { redis, machines, session: await cluster({ url: machines.url }) };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    const found = await opened?.catch(() => undefined);
    if (found === undefined) return;
    const { redis, machines, session } = found;
    await session.close();
    await machines.stop();
    await redis.stop();
  }
}
