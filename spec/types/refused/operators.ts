// What must not compile: operators, their inputs and what they return.
import { broadcast, hash, type Incremental, type Operator, type QStream, type Stateful, type Task } from "qstream";
import {
  BrownQuokka,
  Sizes,
  Tagger,
  acorns,
  leaves,
  numbers,
  q,
  words,
  type Acorn,
  type Inputs,
  type Leaf,
} from "../shared.ts";

const quokka = (): BrownQuokka => new BrownQuokka();
const byLeaf = hash((leaf: Leaf) => leaf.tree);

// Names and types of inputs.
// @ts-expect-error: the name of an input is wrong
export const a1 = q.apply("a", { leafs: leaves, acorns }, quokka);
// @ts-expect-error: an input is missing
export const a2 = q.apply("a", { leaves }, quokka);
// @ts-expect-error: one input too many
export const a3 = q.apply("a", { leaves, acorns, words }, quokka);
// @ts-expect-error: inputs are exchanged
export const a4 = q.apply("a", { leaves: acorns, acorns: leaves }, quokka);
// @ts-expect-error: an input of another type
export const a5 = q.apply("a", { leaves: words, acorns }, quokka);
// @ts-expect-error: a partitioned input of another type
export const a6 = q.apply("a", { leaves: acorns.partition(broadcast()), acorns }, quokka);
// @ts-expect-error: a partition function of another type
export const a7 = q.apply("a", { leaves, acorns: acorns.partition(byLeaf) }, quokka);
// @ts-expect-error: an input is no stream
export const a8 = q.apply("a", { leaves: [], acorns }, quokka);
// @ts-expect-error: an operator of two inputs on one stream
export const a9 = leaves.apply("a", quokka);
// @ts-expect-error: an operator of another type
export const a10 = words.apply("a", () => new Sizes());
// @ts-expect-error: also behind a partition function
export const a11 = words.partition(broadcast()).apply("a", () => new Sizes());
// @ts-expect-error: a generic class of another type
export const a12 = words.apply("a", () => new Tagger((leaf: Leaf) => leaf.tree));
// @ts-expect-error: one of the streams of a self-join is of another type
export const a13 = q.apply("a", { left: leaves, right: acorns }, () => new Pair<Leaf>());

// Factories and options.
// @ts-expect-error: an operator instead of a factory
export const b1 = q.apply("a", { leaves, acorns }, new BrownQuokka());
// @ts-expect-error: a class instead of a factory
export const b2 = q.apply("a", { leaves, acorns }, BrownQuokka);
// @ts-expect-error: the id is missing
export const b3 = q.apply({ leaves, acorns }, quokka);
// @ts-expect-error: a stage of an input that isn't there
export const b4 = q.apply("a", { leaves, acorns }, quokka, { stages: { acorn: 0 } });
// @ts-expect-error: a stage is a number
export const b5 = q.apply("a", { leaves, acorns }, quokka, { stages: { acorns: "first" } });
// @ts-expect-error: of one stream, the input is called `in`
export const b6 = leaves.apply("a", () => new Sizes(), { stages: { leaves: 0 } });
// @ts-expect-error: there is no such declaration
export const b7 = leaves.apply("a", () => new Sizes(), { declares: "commutative" });
// @ts-expect-error: a result of another type
export const b8: QStream<string> = leaves.apply("a", () => new Sizes());

// What execute and done may return.
// @ts-expect-error: a text would be taken apart into letters
export const c1 = words.apply("a", () => ({ execute: ({ objects }) => objects.join() }));
// @ts-expect-error: the returned array of a generator would be lost
export const c2 = words.apply("a", () => ({ *execute({ objects }) { return [objects.length]; } }));
// @ts-expect-error: a number is not several objects
export const c3 = words.apply("a", () => ({ execute: ({ objects }) => objects.length }));
// @ts-expect-error: neither is a promise of one
export const c4 = words.apply("a", () => ({ execute: async ({ objects }) => objects.length }));
// @ts-expect-error: there is no execute
export const c5 = words.apply("a", () => ({ done: () => ["x"] }));
// @ts-expect-error: objects are read-only
export const c6 = words.apply("a", () => ({ execute: ({ objects }) => objects.sort() }));
// @ts-expect-error: restore takes what snapshot gives
export const c7 = words.apply("a", () => ({ execute: () => {}, snapshot: () => 1, restore: (n: string) => void n }));
// @ts-expect-error: the context has no clock of this name
export const c8 = words.apply("a", () => ({ execute: (_task, ctx) => [ctx.clock] }));

// @ts-expect-error: a timer has a name and a delay
export const c9 = words.apply("a", () => ({ execute: (_task, ctx) => ctx.timers.set("flush"), onTimer: () => {} }));
// @ts-expect-error: what a timer gives would be lost
export const c10 = words.apply("a", () => ({ execute: () => {}, onTimer: () => 7 }));
// @ts-expect-error: the name of a timer is text
export const c11 = words.apply("a", () => ({ execute: () => {}, onTimer: (name: number) => [name] }));

// @ts-expect-error: a sink has no timers
export const c12 = words.forEach((_word, ctx) => ctx.timers.set("flush", 1));

// Classes.
class Pair<T> implements Operator<{ left: T; right: T }, T> {
  execute({ objects }: Task<{ left: T; right: T }>): readonly T[] {
    return objects;
  }
}
export class Wide implements Operator<Inputs, number> {
  // @ts-expect-error: a task of another type
  execute({ objects }: Task<{ leaves: string }>): number[] {
    return objects.map((text) => text.length);
  }
}
export class Wrong implements Operator<{ in: Leaf }, number> {
  // @ts-expect-error: it says that it gives numbers
  execute({ objects }: Task<{ in: Leaf }>): string[] {
    return objects.map((leaf) => leaf.tree);
  }
}
// @ts-expect-error: a state that can be saved and not restored
export class Half implements Operator<{ in: Leaf }, number>, Stateful<number> {
  execute(): void {}
  snapshot(): number {
    return 1;
  }
}
// @ts-expect-error: changes that can be told and not taken
export class HalfOfChanges implements Operator<{ in: Leaf }, number>, Incremental<number> {
  execute(): void {}
  changes(): number {
    return 1;
  }
}
export class Narrowing implements Operator<Inputs, number> {
  *execute({ input, objects }: Task<Inputs>): Generator<number, void> {
    // @ts-expect-error: which input it is was not asked
    for (const leaf of objects) yield leaf.size;
    if (input === "acorns") {
      // @ts-expect-error: an acorn has no size
      for (const acorn of objects) yield acorn.size;
    } else {
      // @ts-expect-error: a leaf has no weight
      for (const leaf of objects) yield leaf.kg;
    }
    // @ts-expect-error: there is no input of this name
    if (input === "roots") yield 1;
  }
}
export const d1 = q.apply("a", { leaves, acorns }, () => ({
  execute({ input, objects }) {
    // @ts-expect-error: a leaf has no weight
    return input === "leaves" ? objects.map((leaf) => leaf.kg) : objects.map((acorn) => acorn.kg);
  },
}));
// @ts-expect-error: a stream of acorns isn't a stream of numbers
export const d2: QStream<number> = numbers.apply("a", () => ({ execute: (): Acorn[] => [] }));
