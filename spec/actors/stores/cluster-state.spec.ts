import { setTimeout as wait } from "node:timers/promises";
import { ClusterState } from "../../../actors/stores/cluster-state.ts";
import { coordinationContract } from "../../contract/coordination.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what heads share, in Redis");

if (await hasRedisServer()) {
  const redis = await startRedisServer();
  let clusters = 0;
  coordinationContract(test, {
    share: () => {
      const store = `${redis.url}?prefix=cluster${clusters++}`;
      return (head) => ClusterState.open(store, head);
    },
    pass: (ms) => wait(ms),
  });
  test.after(() => redis.stop());
}

test.run();
