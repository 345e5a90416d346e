import { tagged } from "qstream";
import slotActors, { payer, register } from "../actors/slot-actors.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startPair } from "../harness/cluster.ts";
import { contest, round } from "../harness/contest.ts";
import { WsAsks } from "../peers/ws-asks.ts";

const count = 100_000;
const inFlight = 64;

export const benchmark: Benchmark = {
  name: "ask-machines",
  workload:
    "100,000 questions of an actor on one machine to one on another, 64 under way at any time; numbers sent back by a bare ws between two processes",
  bar: { atLeast: 0.7 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using pair = await startPair();
  await using session = await pair.session();
  await using system = await slotActors.start({ on: session });
  const to = system.spawn(register, undefined, { place: tagged("receiver") });
  const from = system.spawn(payer, to, { place: tagged("sender") });
  const ws = new WsAsks();
  const ours = (): Promise<number> => from.ask("ask", { count, inFlight }, { timeoutMs: 120_000 });
  try {
    const peer = { name: "ws", run: () => ws.run({ count, inFlight }) };
    const result = await contest({ name: "QStream", run: ours }, peer, { warmups: 2, rounds: 7 });
    const speed = (ms: number): string => `${round((count / ms) * 1000)} /s`;
    return {
      value: result.ratio,
      details: {
        ours: speed(result.oursMs),
        peer: speed(result.peerMs),
        ourRounds: result.ours.map(round).join(" "),
        peerRounds: result.peer.map(round).join(" "),
      },
    };
  } finally {
    await ws.close();
  }
}
