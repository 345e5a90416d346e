import { startRedisServer, type RedisServer as Server } from "../kit/redis-server.ts";

/** A Redis server of a spec's own. */
export interface RedisServer extends Server {
  /** Starts it again after it was killed, on the same port and folder. */
  start: () => Promise<void>;
}

export async function startRedis(options: { readonly appendOnly?: boolean } = {}): Promise<RedisServer> {
  const server = await startRedisServer(options);
  return Object.assign(server, { start: () => server.restart() });
}
