import { runWatched } from "../actors/watched-system.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round, timed } from "../harness/contest.ts";
import { skynetInNact } from "../peers/nact-actors.ts";
import { skynet } from "../savina/skynet.ts";

const leaves = 1_000_000;
// nact is given a smaller tree: a million of its actors take minutes.
const peerLeaves = 10_000;
const rounds = 5;

export const benchmark: Benchmark = {
  name: "skynet",
  workload: "a tree of ten children each and one million leaves made, summed up by messages, and ended, one slot",
  bar: { atMost: 0.8 },
  unit: "s",
  measure,
};

async function measure(): Promise<Measured> {
  const times: number[] = [];
  for (let attempt = 0; attempt <= rounds; attempt++) {
    const run = (): Promise<number> => runWatched((system) => skynet.run(system, leaves));
    const { ms, result } = await timed({ name: "QStream", run }, attempt);
    if (result !== skynet.plain(leaves)) throw new Error(`the sum of the leaves is ${result}`);
    times.push(ms);
  }
  const [first = 0, ...warm] = times;
  const peer = await timed({ name: "nact", run: () => skynetInNact(peerLeaves) }, 0);
  if (peer.result !== skynet.plain(peerLeaves)) throw new Error(`the sum of nact's leaves is ${peer.result}`);
  return {
    value: median(warm) / 1000,
    details: {
      ours: `${round(median(warm))} ms`,
      first: `${round(first)} ms`,
      ourRounds: warm.map(round).join(" "),
      nact: `${round(peer.ms)} ms for ${peerLeaves} leaves`,
    },
  };
}
