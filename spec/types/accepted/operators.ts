// Operators: classes, functions, generic classes, named inputs.
import {
  broadcast,
  hash,
  type Context,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type QStream,
  type Incremental,
  type Stateful,
  type Task,
} from "qstream";
import {
  acorns,
  BrownQuokka,
  is,
  leaves,
  numbers,
  oakLeaves,
  q,
  Sizes,
  Tagger,
  words,
  type Inputs,
  type Leaf,
  type Same,
  type Strawberry,
} from "../shared.ts";

type ObjectOf<S> = S extends QStream<infer T> ? T : never;

const berries = q.apply(
  "a",
  { leaves: leaves.partition(hash((leaf) => leaf.tree)), acorns: acorns.partition(broadcast()) },
  () => new BrownQuokka(),
  { channels: 4, stages: { acorns: 0, leaves: 1 }, declares: "confluent" },
);
is<Same<ObjectOf<typeof berries>, Strawberry>>();

// A stream of a derived type fits an operator of the base.
export const oaks: QStream<Strawberry> = q.apply("b", { leaves: oakLeaves, acorns }, () => new BrownQuokka());
export const oakSizes: QStream<number> = oakLeaves.apply("c", () => new Sizes());
export const sizes: QStream<number> = leaves.partition(hash("tree")).apply("d", () => new Sizes(), { channels: 2 });

// As functions, nothing needs an annotation.
const inferred = q.apply("e", { leaves, acorns }, () => ({
  *execute({ input, objects }, ctx) {
    is<Same<typeof ctx, OperatorContext>>();
    if (input === "leaves") for (const leaf of objects) yield leaf.tree;
    else for (const acorn of objects) yield acorn.kg;
  },
}));
is<Same<ObjectOf<typeof inferred>, string | number>>();

export const held = leaves.apply("f", () => {
  let sum = 0;
  return {
    execute({ objects }) {
      for (const leaf of objects) sum += leaf.size;
    },
    done: () => [sum],
    snapshot: () => ({ sum }),
    restore: (state) => {
      sum = state.sum;
    },
  };
});
is<Same<ObjectOf<typeof held>, number>>();

// A snapshot may take its time, and restore gets what it was waited for.
export const patient = leaves.apply("p", () => {
  let sum = 0;
  return {
    execute({ objects }) {
      for (const leaf of objects) sum += leaf.size;
    },
    done: () => [sum],
    snapshot: async () => ({ sum: await Promise.resolve(sum) }),
    restore: (state: { readonly sum: number }) => {
      sum = state.sum;
    },
  };
});
is<Same<ObjectOf<typeof patient>, number>>();

// Generic classes take their types from what they are given.
export const tagged = leaves.apply("g", () => new Tagger((leaf: Leaf) => leaf.tree));
is<Same<ObjectOf<typeof tagged>, { tag: string; object: Leaf }>>();

class Zip<L, R, Out> implements Operator<{ left: L; right: R }, Out> {
  readonly combine: (left: L, right: R) => Out;
  readonly #left: L[] = [];
  readonly #right: R[] = [];
  constructor(combine: (left: L, right: R) => Out) {
    this.combine = combine;
  }
  *execute(task: Task<{ left: L; right: R }>): Generator<Out, void> {
    if (task.input === "left") this.#left.push(...task.objects);
    else this.#right.push(...task.objects);
    while (this.#left.length > 0 && this.#right.length > 0) {
      yield this.combine(this.#left.shift() as L, this.#right.shift() as R);
    }
  }
}
const zipped = q.apply(
  "h",
  { left: numbers, right: words },
  () => new Zip((n: number, word: string) => word.repeat(n)),
);
is<Same<ObjectOf<typeof zipped>, string>>();

// A stream joined with itself.
export const self: QStream<boolean> = q.apply(
  "i",
  { left: leaves, right: leaves.partition(broadcast()) },
  () => new Zip((left: Leaf, right: Leaf) => left.size === right.size),
);

// Outputs may come as arrays, generators, other iterables, promises, or not at all.
export const promised: QStream<number> = numbers.apply("j", () => ({ execute: async ({ objects }) => [...objects] }));
export const asynchronous: QStream<number> = numbers.apply("k", () => ({
  async *execute({ objects }) {
    yield* objects;
  },
}));
export const iterated: QStream<string> = words.apply("l", () => ({
  execute: ({ objects }) => new Map(objects.map((word) => [word, word])).values(),
}));

// A definition with what the plan should know.
const definition: OperatorDefinition<Inputs, Strawberry> = {
  kind: "quokka",
  declares: "order-sensitive",
  parallelism: "single",
  representations: ["objects"],
  stages: { acorns: 0 },
  create: () => new BrownQuokka(),
};
export const defined: QStream<Strawberry> = q.apply("m", { leaves, acorns }, definition);

// `input` narrows `objects` after await, in callbacks, in switch, renamed, and through a constant.
export class Narrowed implements Operator<Inputs, number>, Stateful<null> {
  async execute({ input: from, objects: given }: Task<Inputs>): Promise<number[]> {
    await Promise.resolve();
    const isLeaf = from === "leaves";
    if (isLeaf) return given.map((leaf) => leaf.size);
    switch (from) {
      case "acorns":
        return given.map((acorn) => acorn.kg);
    }
  }
  snapshot(): null {
    return null;
  }
  restore(): void {}
}

// What has changed may be of another type than the state, come later, or not be known.
export class Changing implements Operator<{ in: Leaf }, number>, Stateful<number[]>, Incremental<{ last: number }> {
  execute(): void {}
  snapshot(): number[] {
    return [];
  }
  restore(): void {}
  async changes(): Promise<{ last: number } | undefined> {
    return undefined;
  }
  apply({ last }: { last: number }): void {
    void last;
  }
}
export const changing: QStream<number> = leaves.apply("changing", () => new Changing());

// Timers: what goes off may give something too; a context with timers is a context.
export class Batches implements Operator<{ in: Leaf }, Leaf[]> {
  #held: Leaf[] = [];
  execute({ objects }: Task<{ in: Leaf }>, ctx: OperatorContext): void {
    this.#held.push(...objects);
    if (!ctx.timers.has("flush")) ctx.timers.set("flush", 20);
  }
  onTimer(name: string, ctx: Context): Leaf[][] {
    ctx.count(name);
    return [this.#held.splice(0)];
  }
  done({ timers }: OperatorContext): Leaf[][] {
    return timers.clear("flush") ? [this.#held] : [];
  }
}
const batches = leaves.apply("batches", () => new Batches());
is<Same<ObjectOf<typeof batches>, Leaf[]>>();
const ticks = leaves.apply("ticks", () => ({
  open: (ctx) => ctx.timers.set("tick", 1000),
  execute: () => {},
  async *onTimer(name, ctx) {
    is<Same<typeof name, string>>();
    ctx.timers.set(name, 1000);
    yield ctx.now();
  },
}));
is<Same<ObjectOf<typeof ticks>, number>>();
