import { runWatched } from "../actors/watched-system.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, round } from "../harness/contest.ts";
import { tellInNact } from "../peers/nact-actors.ts";
import { tellInXstate } from "../peers/xstate-actors.ts";
import { counting } from "../savina/counting.ts";

const messages = 4_000_000;

export const benchmark: Benchmark = {
  name: "tell-vs-nact",
  workload: "one actor tells another one 4 M messages, one slot, both supervised and watched; the same in nact",
  bar: { atLeast: 5 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  const ours = { name: "QStream", run: () => runWatched((system) => counting.run(system, messages)) };
  const nact = await contest(ours, { name: "nact", run: () => tellInNact(messages) }, { warmups: 1, rounds: 3 });
  const xstate = await contest(ours, { name: "xstate", run: () => tellInXstate(messages) }, { warmups: 1, rounds: 3 });
  return {
    value: nact.ratio,
    details: { ...detailsOf(nact, messages), xstate: `${round(xstate.peerMs)} ms (${round(xstate.ratio)} x)` },
  };
}
