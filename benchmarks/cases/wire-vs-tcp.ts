import type { ClusterSession } from "qstream";
import { megabyteBytes, megabyteRows, type MegabyteSums } from "../data/megabytes.ts";
import { drawMegabytes, lastStart, megabytesAcross } from "../flows/wire.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startPair } from "../harness/cluster.ts";
import { detailsOf, type Contestant, type Timed } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { reportedContest } from "../harness/reported.ts";
import { TcpExchange } from "../peers/tcp-exchange.ts";

const megabytes = 512;

export const benchmark: Benchmark = {
  name: "wire-vs-tcp",
  workload:
    "512 Arrow batches of 1 MB from an operator of one worker to an operator of another, every value read; the same bytes by raw TCP between two processes",
  bar: { atLeast: 0.5 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using pair = await startPair();
  await using session = await pair.session();
  const tcp = new TcpExchange();
  const ours: Contestant<Timed<MegabyteSums>> = {
    name: "QStream",
    prepare: async (seed) => void (await drawMegabytes.run({ seed, megabytes }, { on: session })),
    run: (seed) => exchange(session, seed),
  };
  const peer: Contestant<Timed<MegabyteSums>> = {
    name: "TCP",
    prepare: (seed) => tcp.prepare({ seed, megabytes }),
    run: (seed) => tcp.run({ seed, megabytes }),
  };
  try {
    const result = await reportedContest(ours, peer, { warmups: 2, rounds: 9 });
    return { value: result.ratio, details: detailsOf(result, megabytes * megabyteBytes, "MB/s") };
  } finally {
    await tcp.close();
  }
}

async function exchange(session: ClusterSession, seed: number): Promise<Timed<MegabyteSums>> {
  const execution = megabytesAcross.start({ seed, megabytes }, { on: session });
  const passage = { from: "send", to: "receive", objects: megabytes * megabyteRows, leavesSlot: true };
  const { received } = await outputsOf(execution, passage);
  const { startedAt } = await lastStart.run({}, { on: session });
  const [end] = received;
  const [start] = startedAt;
  if (end === undefined || start === undefined) throw new Error("nothing was received");
  return { ms: end.endedAt - start, result: end.result };
}
