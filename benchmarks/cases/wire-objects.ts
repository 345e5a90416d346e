import type { ClusterSession } from "qstream";
import type { MeasureSums } from "../data/draw.ts";
import { lastStart, objectsAcross } from "../flows/wire.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startPair } from "../harness/cluster.ts";
import { detailsOf, type Contestant, type Timed } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { reportedContest } from "../harness/reported.ts";
import { WsExchange } from "../peers/ws-exchange.ts";

const objects = 2_000_000;
// The fastest of 256 to 16,384, by little.
const arrayLength = 256;

export const benchmark: Benchmark = {
  name: "wire-objects",
  workload:
    "2 M {number, number, string} objects from an operator of one worker to an operator of another; arrays by v8.serialize over ws between two processes",
  bar: { atLeast: 4 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using pair = await startPair();
  await using session = await pair.session();
  const ws = new WsExchange();
  const ours: Contestant<Timed<MeasureSums>> = { name: "QStream", run: (seed) => exchange(session, seed) };
  const peer: Contestant<Timed<MeasureSums>> = { name: "ws", run: (seed) => ws.run({ seed, objects, arrayLength }) };
  try {
    const result = await reportedContest(ours, peer, { warmups: 3, rounds: 9 });
    return { value: result.ratio, details: detailsOf(result, objects) };
  } finally {
    await ws.close();
  }
}

async function exchange(session: ClusterSession, seed: number): Promise<Timed<MeasureSums>> {
  const execution = objectsAcross.start({ seed, objects }, { on: session });
  const { received } = await outputsOf(execution, { from: "send", to: "receive", objects, leavesSlot: true });
  const { startedAt } = await lastStart.run({}, { on: session });
  const [end] = received;
  const [start] = startedAt;
  if (end === undefined || start === undefined) throw new Error("nothing was received");
  return { ms: end.endedAt - start, result: end.result };
}
