// What the cases share: objects, streams of them, an operator, a sink. Only types count here, nothing runs.
import type {
  ArrowBatch,
  Context,
  FlowBuilder,
  Operator,
  OutputSink,
  PolarsBatch,
  QStream,
  Reader,
  SidedReader,
  Task,
} from "qstream";

export interface Leaf {
  readonly tree: string;
  readonly size: number;
}

export interface OakLeaf extends Leaf {
  readonly lobes: number;
}

export interface Acorn {
  readonly kg: number;
  readonly found: Date;
}

export interface Strawberry {
  readonly tree: string;
  readonly sweetness: number;
}

/** A class that takes two inputs, and has a state. */
export type Inputs = { leaves: Leaf; acorns: Acorn };

export class BrownQuokka implements Operator<Inputs, Strawberry, { kg: number }> {
  #kg = 0;

  *execute({ input, objects }: Task<Inputs>, ctx: Context): Generator<Strawberry, void> {
    ctx.count("tasks");
    if (input === "acorns") {
      for (const acorn of objects) this.#kg += acorn.kg;
      return;
    }
    for (const leaf of objects) yield { tree: leaf.tree, sweetness: leaf.size * this.#kg };
  }

  snapshot(): { kg: number } {
    return { kg: this.#kg };
  }

  restore(state: { kg: number }): void {
    this.#kg = state.kg;
  }
}

/** A class that takes one input. */
export class Sizes implements Operator<{ in: Leaf }, number> {
  execute({ objects }: Task<{ in: Leaf }>): number[] {
    return objects.map((leaf) => leaf.size);
  }
}

/** A class of both inputs of one type, and with any object. */
export class Tagger<T> implements Operator<{ in: T }, { tag: string; object: T }> {
  readonly tag: (object: T) => string;
  constructor(tag: (object: T) => string) {
    this.tag = tag;
  }
  execute({ objects }: Task<{ in: T }>): { tag: string; object: T }[] {
    return objects.map((object) => ({ tag: this.tag(object), object }));
  }
}

export declare const q: FlowBuilder;
export declare const leaves: QStream<Leaf>;
export declare const oakLeaves: QStream<OakLeaf>;
export declare const acorns: QStream<Acorn>;
export declare const numbers: QStream<number>;
export declare const words: QStream<string>;
export declare const tables: QStream<ArrowBatch<{ origin: string; delay: number }>>;
export declare const frames: QStream<PolarsBatch<{ origin: string; delay: number }>>;
export declare const leafReader: Reader<Leaf>;
export declare const sidedReader: SidedReader<Leaf, { bad: { line: number } }>;

/** Sinks that take what their name says. */
export declare const leafSink: OutputSink<Leaf, number>;
export declare const anySink: OutputSink<unknown, string>;
export declare function list<T>(): OutputSink<T, T[]>;

/** True if two types are the same, and not only assignable. */
export type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`: `is<Same<A, B>>()`. */
export declare function is<_T extends true>(): void;
