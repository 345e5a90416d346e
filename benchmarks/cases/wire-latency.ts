import { echoes } from "../flows/echo.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startPair } from "../harness/cluster.ts";
import { median, round } from "../harness/contest.ts";
import { outputsOf, type Passage } from "../harness/links.ts";
import { WsEcho } from "../peers/ws-echo.ts";

const warmups = 200;
const count = 1000;
const rounds = 9;

export const benchmark: Benchmark = {
  name: "wire-latency",
  workload:
    "round trip of a parcel of 100 bytes from a slot to another machine's and back, without lineage; an echo by ws between two processes; times of ours by times of the peer's",
  bar: { atMost: 2 },
  unit: "x",
  measure,
};

const passages: readonly Passage[] = [
  { from: "pings", to: "echo", objects: warmups + count, leavesSlot: true },
  { from: "echo", to: "answers", objects: warmups + count, leavesSlot: true },
];

async function measure(): Promise<Measured> {
  await using pair = await startPair();
  await using session = await pair.session({ store: "none" });
  const ws = new WsEcho();
  const times = { ours: [] as number[], peer: [] as number[] };
  const ours = async (): Promise<void> => {
    const execution = echoes.start({ warmups, count }, { on: session, limits: { lingerMs: 0 } });
    times.ours.push(medianOf((await outputsOf(execution, ...passages)).milliseconds));
  };
  const peer = async (): Promise<void> => void times.peer.push(medianOf(await ws.run({ warmups, count })));
  try {
    // One round more than counts, the first, for compilers and connections.
    for (let turn = 0; turn <= rounds; turn++)
      for (const side of turn % 2 === 0 ? [ours, peer] : [peer, ours]) await side();
  } finally {
    await ws.close();
  }
  const [oursMs, peerMs] = [median(times.ours.slice(1)), median(times.peer.slice(1))];
  return {
    value: oursMs / peerMs,
    details: {
      ours: `${round(oursMs * 1000)} us`,
      peer: `${round(peerMs * 1000)} us`,
      ourRounds: times.ours.map((ms) => round(ms * 1000)).join(" "),
      peerRounds: times.peer.map((ms) => round(ms * 1000)).join(" "),
    },
  };
}

function medianOf(milliseconds: readonly number[]): number {
  if (milliseconds.length !== count) throw new Error(`${milliseconds.length} of ${count} round trips were timed`);
  return median(milliseconds);
}
