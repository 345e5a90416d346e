import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { VirtualNetwork } from "../../../../lib/testing/simulation/virtual-network.ts";
import { transportContract } from "../../../contract/transport.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("virtual transport");

transportContract(test, (slots) => {
  const random = seededRandom(3);
  const clock = new VirtualClock({ random, graceMs: Infinity });
  const network = new VirtualNetwork({ clock, random });
  let stop = (): void => {};
  // Time passes while the contract waits for what arrives.
  const running = clock.run({ settled: new Promise<void>((resolve) => (stop = resolve)) });
  return {
    ends: slots.map((slot) => network.transport(network.open(slot))),
    cleanup: async () => {
      stop();
      await running;
    },
  };
});

test.run();
