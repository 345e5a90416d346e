/**
 * Quokka's cartoon: leaves and acorns become strawberries, and strawberries become salad.
 *
 *     node dist/examples/cartoon.js
 *     npx qstream run examples/cartoon.ts --slots 2
 *     npx qstream run examples/cartoon.ts --explain
 *
 *                      hash(tree)
 *     leaves ─────────────────────► brown quokka ──── round robin ───► grey quokka ───► salads
 *     2 channels       broadcast    3 channels                         2 channels
 *     acorns ─────────────────────►
 *     1 channel
 *
 * All leaves of a tree go to the same brown quokka. Acorns go to every brown quokka, and are eaten first: a stage says
 * that leaves have to wait until there are no acorns left. Grey quokkas take berries as they come, and make a salad of
 * every four.
 */
import { pathToFileURL } from "node:url";
import { broadcast, defineFlow, hash, items, roundRobin, type Operator, type Stateful, type Task } from "qstream";

export type Leaf = { readonly tree: string; readonly size: number };
export type Acorn = { readonly kg: number };
export type Strawberry = { readonly tree: string; readonly sweetness: number };
export type Salad = { readonly berries: number; readonly sweetness: number };

type Garden = { leaves: Leaf; acorns: Acorn };

/** Eats acorns, and then turns leaves into strawberries: the more acorns, the sweeter. */
class BrownQuokka implements Operator<Garden, Strawberry>, Stateful<{ kg: number }> {
  #kg = 0;

  *execute({ input, objects }: Task<Garden>): Generator<Strawberry, void> {
    if (input === "acorns") {
      for (const acorn of objects) this.#kg += acorn.kg;
      return;
    }
    for (const leaf of objects) yield { tree: leaf.tree, sweetness: leaf.size * this.#kg };
  }

  snapshot(): { kg: number } {
    return { kg: this.#kg };
  }

  restore({ kg }: { kg: number }): void {
    this.#kg = kg;
  }
}

const berriesOfSalad = 4;

/** Makes a salad of every four strawberries, and at the end one of what is left. */
class GreyQuokka implements Operator<{ berries: Strawberry }, Salad>, Stateful<Salad> {
  #bowl: Salad = { berries: 0, sweetness: 0 };

  *execute({ objects }: Task<{ berries: Strawberry }>): Generator<Salad, void> {
    for (const berry of objects) {
      this.#bowl = { berries: this.#bowl.berries + 1, sweetness: this.#bowl.sweetness + berry.sweetness };
      if (this.#bowl.berries === berriesOfSalad) yield this.#serve();
    }
  }

  *done(): Generator<Salad, void> {
    if (this.#bowl.berries > 0) yield this.#serve();
  }

  snapshot(): Salad {
    return this.#bowl;
  }

  restore(bowl: Salad): void {
    this.#bowl = bowl;
  }

  #serve(): Salad {
    const salad = this.#bowl;
    this.#bowl = { berries: 0, sweetness: 0 };
    return salad;
  }
}

const trees = ["oak", "elm", "ash", "fig", "gum"];
export const leaves: readonly Leaf[] = Array.from({ length: 30 }, (_, n) => ({
  tree: trees[n % trees.length] ?? "oak",
  size: 1 + (n % 7),
}));
export const acorns: readonly Acorn[] = [{ kg: 1 }, { kg: 2 }, { kg: 4 }];

const cartoon = defineFlow(import.meta.url, (q) => {
  const berries = q.apply(
    "brown-quokka",
    {
      leaves: q.read("leaves", items(leaves), { channels: 2 }).partition(hash((leaf) => leaf.tree)),
      acorns: q.read("acorns", items(acorns), { channels: 1 }).partition(broadcast()),
    },
    () => new BrownQuokka(),
    { channels: 3, stages: { acorns: -1 }, declares: "confluent" },
  );
  const salads = q.apply("grey-quokka", { berries: berries.partition(roundRobin()) }, () => new GreyQuokka(), {
    channels: 2,
  });
  return { berries: berries.collect(), salads: salads.collect() };
});

export default cartoon;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(cartoon.explain());
  const { salads } = await cartoon.run();
  const sweetness = salads.reduce((total, salad) => total + salad.sweetness, 0);
  console.log(
    `${leaves.length} leaves and ${acorns.length} acorns became ${salads.length} salads of sweetness ${sweetness}`,
  );
}
