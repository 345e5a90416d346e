import { runWatched } from "../actors/watched-system.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, round } from "../harness/contest.ts";
import { exchangeInNact } from "../peers/nact-actors.ts";
import { exchangeInXstate } from "../peers/xstate-actors.ts";
import { pingPong } from "../savina/ping-pong.ts";

const exchanges = 1_000_000;

export const benchmark: Benchmark = {
  name: "pingpong-vs-nact",
  workload: "1 M exchanges of one message between two actors, one slot, both supervised and watched; the same in nact",
  bar: { atLeast: 2 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  const ours = { name: "QStream", run: () => runWatched((system) => pingPong.run(system, exchanges)) };
  const peer = { name: "nact", run: () => exchangeInNact(exchanges) };
  const nact = await contest(ours, peer, { warmups: 1, rounds: 3 });
  const other = { name: "xstate", run: () => exchangeInXstate(exchanges) };
  const xstate = await contest(ours, other, { warmups: 1, rounds: 3 });
  return {
    value: nact.ratio,
    details: { ...detailsOf(nact, exchanges), xstate: `${round(xstate.peerMs)} ms (${round(xstate.ratio)} x)` },
  };
}
