import { CoordinationBoard, MemoryCoordination } from "../../../actors/stores/memory-coordination.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { VirtualClock } from "../../../lib/testing/simulation/index.ts";
import { coordinationContract } from "../../contract/coordination.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what heads share, in memory");
const clock = new VirtualClock({ random: seededRandom(1) });

coordinationContract(test, {
  share: () => {
    const board = new CoordinationBoard(clock);
    return async (head) => new MemoryCoordination(board, head);
  },
  pass: async (ms) => void (await clock.run({ ms: clock.monotonic() + ms })),
});

test.run();
