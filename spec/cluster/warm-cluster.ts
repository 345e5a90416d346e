import { cluster, type ClusterSession, type FlowSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/index.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";
import { startS3Server, type S3Server } from "../kit/s3-server.ts";

interface Opened {
  readonly redis: RedisServer;
  readonly s3: S3Server;
  readonly machines: LoopbackCluster;
  readonly session: ClusterSession;
}

/** A cluster of two machines of one slot each, started when it is first needed. */
export class WarmCluster {
  #opened: Promise<Opened> | undefined;

  #isThere: Promise<boolean> | undefined;

  /** The flows that were run here: module and name. */
  readonly flows = new Set<string>();

  /** What their steps were: `reader csv`. */
  readonly steps = new Set<string>();

  /** False, and said once, where there is no Redis to be had. */
  isThere(): Promise<boolean> {
    return (this.#isThere ??= hasRedisServer());
  }

  async session(): Promise<FlowSession> {
    const { session } = await this.#open();
    return {
      start: (start) => {
        this.flows.add(`${start.reference.module}#${start.reference.name}`);
        for (const { code, what } of start.graph.steps) this.steps.add(`${code.kind} ${what}`);
        return session.start(start);
      },
      findStored: (execution) => session.findStored(execution),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** What its machines find where no endpoint is named. */
  async s3(): Promise<S3Server> {
    return (await this.#open()).s3;
  }

  #open(): Promise<Opened> {
    return (this.#opened ??= open());
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    const found = await opened?.catch(() => undefined);
    if (found === undefined) return;
    const { redis, s3, machines, session } = found;
    await session.close();
    await machines.stop();
    await Promise.all([redis.stop(), s3.close()]);
  }
}

async function open(): Promise<Opened> {
  const [redis, s3] = await Promise.all([startRedisServer(), startS3Server()]);
  // Machines are started with the environment of this process.
  Object.assign(process.env, s3.env);
  const machines = await LoopbackCluster.start({ store: redis.url, leaseMs: 5000 });
  return { redis, s3, machines, session: await cluster({ url: machines.url }) };
}
