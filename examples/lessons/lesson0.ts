/**
 * Lesson 0: a reader and an operator of your own.
 *
 *     node dist/examples/lessons/lesson0.js
 *
 * The reader gives the numbers from 0 to 79, strided: channel c of n has c, c + n, c + 2n and so on. The operator keeps
 * a sum, on a single channel so that there is one sum only, and tells it when its input has ended: 3160.
 */
import { pathToFileURL } from "node:url";
import {
  defineFlow,
  passThrough,
  type Operator,
  type Reader,
  type SplitRequest,
  type Stateful,
  type Task,
} from "qstream";

type Stride = { readonly first: number; readonly step: number };

/** Every `step`th number from `first` on, below `end`. Reading a split again gives the same numbers. */
class StridedNumbers implements Reader<number, Stride> {
  readonly kind = "strided-numbers";
  readonly options: { readonly end: number };

  constructor(end: number) {
    this.options = { end };
  }

  splits({ channels }: SplitRequest): Stride[] {
    return Array.from({ length: channels }, (_, first) => ({ first, step: channels }));
  }

  *read({ first, step }: Stride): Generator<number, void> {
    for (let n = first; n < this.options.end; n += step) yield n;
  }
}

/** The state of an operator is what its fields hold; snapshot and restore let it move and be made again. */
class Sum implements Operator<{ in: number }, number>, Stateful<{ sum: number }> {
  #sum = 0;

  execute({ objects }: Task<{ in: number }>): void {
    for (const n of objects) this.#sum += n;
  }

  done(): readonly number[] {
    return [this.#sum];
  }

  snapshot(): { sum: number } {
    return { sum: this.#sum };
  }

  restore({ sum }: { sum: number }): void {
    this.#sum = sum;
  }
}

const lesson0 = defineFlow(import.meta.url, (q) => {
  const numbers = q.read("numbers", new StridedNumbers(80), { channels: 4 });
  const sum = numbers.partition(passThrough()).apply("sum", () => new Sum(), { channels: 1, declares: "confluent" });
  return { sum: sum.collect() };
});

export default lesson0;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(lesson0.explain());
  console.log((await lesson0.run()).sum); // [3160]
}
