import { local, type Session } from "qstream";
import { iterationsOf } from "../data/burn.ts";
import { burning } from "../flows/burning.ts";
import type { Sum } from "../flows/keyed-sum.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { byKey } from "../harness/sums.ts";

const objects = 524_288;

export const benchmark: Benchmark = {
  name: "two-slots",
  workload: "map of about 2 us an object and keyed sum over 0.5 M objects; two slots against one",
  bar: { atLeast: 1.7 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  const iterations = iterationsOf(2);
  await using one = await local({ slots: 1, store: "none" });
  await using two = await local({ slots: 2, store: "none" });
  const on = (name: string, session: Session): Contestant<Sum[]> => ({
    name,
    run: async (seed) => {
      const execution = burning.start({ seed, objects, iterations }, { on: session });
      return (await outputsOf(execution, { from: "pairs", to: "sum", objects })).sums;
    },
  });
  const result = await contest(on("two slots", two), on("one slot", one), { warmups: 2, rounds: 7, comparable: byKey });
  return { value: result.ratio, details: { iterations, ...detailsOf(result, objects) } };
}
