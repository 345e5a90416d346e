import { keyedRandom } from "../../../core/seam/random.ts";
import type { Exploration } from "../exploration.ts";
import { ChoiceRun } from "./choice-run.ts";
import type { SearchOptions } from "./search.ts";

const walks = 40;

/** How many orders there are in all, about: Knuth's estimate, by walks that choose at random. */
export async function estimateOrders<System>(
  exploration: Exploration<System>,
  { budget, machines, depth }: Pick<SearchOptions, "budget" | "machines" | "depth">,
): Promise<number> {
  let sum = 0;
  for (let walk = 0; walk < walks; walk++) {
    const random = keyedRandom(walk, 11);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const run = await ChoiceRun.begin(exploration, { budget, machines, recorder: undefined });
    let product = 1;
    for (let at = 0; at < depth; at++) {
      const choices = run
        .enabled()
        .flatMap((process) => run.alternatives(process).map((alternative) => ({ process, alternative })));
      const chosen = choices[Math.floor(random() * choices.length)];
      if (chosen === undefined) break;
      product *= choices.length;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await run.perform(chosen.process, chosen.alternative, at);
    }
    sum += product;
  }
  return sum / walks;
}
