import { local } from "qstream";
import type { MeasureSums } from "../data/draw.ts";
import { measuresAcross } from "../flows/measures.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { CloneExchange } from "../peers/clone-exchange.ts";

const objects = 2_000_000;
// The fastest of 256 to 16,384.
const arrayLength = 1024;

export const benchmark: Benchmark = {
  name: "exchange-vs-clone",
  workload:
    "2 M {number, number, string} objects from one slot to the other; postMessage of the same arrays between two threads",
  bar: { atLeast: 4 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using session = await local({ slots: 2, store: "none" });
  const from = session.slots[0] ?? "";
  const clone = new CloneExchange();
  const passage = { from: "measures", to: "digest", objects, channels: [1], leavesSlot: true };
  const ours: Contestant<MeasureSums | undefined> = {
    name: "QStream",
    run: async (seed) =>
      (await outputsOf(measuresAcross.start({ seed, objects, from }, { on: session }), passage)).digests[0],
  };
  const peer: Contestant<MeasureSums | undefined> = {
    name: "postMessage",
    run: (seed) => clone.run({ seed, objects, arrayLength }),
  };
  try {
    const result = await contest(ours, peer, { warmups: 3, rounds: 9 });
    return { value: result.ratio, details: detailsOf(result, objects) };
  } finally {
    await clone.close();
  }
}
