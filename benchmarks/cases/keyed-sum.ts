import { local } from "qstream";
import { keyedSum, type Sum } from "../flows/keyed-sum.ts";
import type { Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { byKey } from "../harness/sums.ts";

const objects = 4_000_000;

/** The keyed sum of 4 M objects on one slot against a peer that does the same. */
export async function measureKeyedSum(
  name: string,
  peer: (seed: number, objects: number) => Promise<Sum[]> | Sum[],
): Promise<Measured> {
  await using session = await local({ slots: 1, store: "none" });
  const ours: Contestant<Sum[]> = {
    name: "QStream",
    run: async (seed) =>
      (await outputsOf(keyedSum.start({ seed, objects }, { on: session }), { from: "pairs", to: "sum", objects })).sums,
  };
  const theirs: Contestant<Sum[]> = { name, run: (seed) => peer(seed, objects) };
  const result = await contest(ours, theirs, { warmups: 3, rounds: 9, comparable: byKey });
  return { value: result.ratio, details: detailsOf(result, objects) };
}
