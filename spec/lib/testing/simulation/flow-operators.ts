// Operators and readers of the flows that are simulated.

import {
  run,
  Side,
  type Context,
  type Operator,
  type OutputSink,
  type Reader,
  type SidedReader,
  type SinkChannel,
  type Task,
} from "../../../../lib/index.ts";

/** Numbers its objects, for each key in the order in which they come, and keeps how often it saw each. */
export class Counting implements Operator<{ in: number }, { key: number; sum: number }, [number, number][]> {
  readonly #keys: number;
  #sums = new Map<number, number>();

  constructor(keys: number) {
    this.#keys = keys;
  }

  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) {
      const key = value % this.#keys;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + value);
    }
  }

  *done(): Generator<{ key: number; sum: number }> {
    for (const [key, sum] of this.#sums) yield { key, sum };
  }

  snapshot(): [number, number][] {
    return [...this.#sums];
  }

  restore(sums: [number, number][]): void {
    this.#sums = new Map(sums);
  }
}

/** Counts objects by key and tells which counts have changed: at once, later, or now and then not at all. */
export class Tallying implements Operator<{ in: number }, { key: number; count: number; seen: number }> {
  readonly #keys: number;
  readonly #counts = new Map<number, number>();
  readonly #touched = new Set<number>();
  #seen = 0;
  #asked = 0;

  constructor(keys: number) {
    this.#keys = keys;
  }

  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) {
      const key = value % this.#keys;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
      this.#touched.add(key);
    }
    this.#seen += objects.length;
  }

  *done(): Generator<{ key: number; count: number; seen: number }> {
    for (const [key, count] of this.#counts) yield { key, count, seen: this.#seen };
  }

  snapshot(): TalliedCounts {
    this.#touched.clear();
    return { counts: [...this.#counts], seen: this.#seen };
  }

  restore({ counts, seen }: TalliedCounts): void {
    this.#counts.clear();
    this.apply({ counts, seen });
  }

  changes(): TalliedCounts | Promise<TalliedCounts> | undefined {
    if (++this.#asked % 7 === 0) return undefined;
    const counts = [...this.#touched].map((key) => [key, this.#counts.get(key) ?? 0] as const);
    this.#touched.clear();
    const changes = { counts, seen: this.#seen };
    return this.#asked % 3 === 0 ? Promise.resolve(changes) : changes;
  }

  apply({ counts, seen }: TalliedCounts): void {
    for (const [key, count] of counts) this.#counts.set(key, count);
    this.#seen = seen;
  }
}

interface TalliedCounts {
  readonly counts: readonly (readonly [number, number])[];
  readonly seen: number;
}

/** Takes so many objects and then ends by itself; gives what it took, in several tasks. */
export class TakingSome implements Operator<{ in: number }, number, number> {
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  *execute({ objects }: Task<{ in: number }>, ctx: Context): Generator<number> {
    const taken = objects.slice(0, this.#left);
    this.#left -= taken.length;
    if (this.#left === 0) ctx.stop();
    yield* taken;
  }

  snapshot(): number {
    return this.#left;
  }

  restore(left: number): void {
    this.#left = left;
  }
}

/** Makes many objects of each: its output is cut over several tasks. Draws and looks at the time while it does. */
export class Unfolding implements Operator<{ in: number }, { value: number; part: number; drawn: number; at: number }> {
  readonly #parts: number;

  constructor(parts: number) {
    this.#parts = parts;
  }

  *execute(
    { objects }: Task<{ in: number }>,
    ctx: Context,
  ): Generator<{ value: number; part: number; drawn: number; at: number }> {
    for (const value of objects) {
      for (let part = 0; part < this.#parts; part++) yield { value, part, drawn: ctx.random(), at: ctx.now() };
    }
  }
}

/** An asynchronous operator: some results come at once, some later, some as a stream. */
export class Waiting implements Operator<{ in: number }, number, { seen: number }> {
  #seen = 0;

  execute({ objects }: Task<{ in: number }>): Promise<readonly number[]> | AsyncGenerator<number> {
    this.#seen += objects.length;
    if (objects.length % 2 === 0) return this.#later(objects);
    return this.#oneByOne(objects);
  }

  async done(): Promise<number[]> {
    return [-this.#seen];
  }

  async snapshot(): Promise<{ seen: number }> {
    await Promise.resolve();
    return { seen: this.#seen };
  }

  restore({ seen }: { seen: number }): void {
    this.#seen = seen;
  }

  async #later(objects: readonly number[]): Promise<readonly number[]> {
    await Promise.resolve();
    return objects;
  }

  async *#oneByOne(objects: readonly number[]): AsyncGenerator<number> {
    for (const value of objects) yield value;
  }
}

const failedOnce = new Set<string>();
const executionsMax = 100_000;

/** Adds up. Fails at its first sight of some objects in an execution, as what reaches for something elsewhere may. */
export class Stumbling implements Operator<{ in: number }, number, { sum: number }> {
  #sum = 0;

  execute({ objects }: Task<{ in: number }>, ctx: Context): void {
    for (const value of objects) {
      const once = `${ctx.execution} ${value}`;
      if (value % 97 === 5 && value < 200 && !failedOnce.has(once)) {
        if (failedOnce.size > executionsMax) failedOnce.clear();
        failedOnce.add(once);
        throw new Error(`not ${value} at first`);
      }
      this.#sum += value;
    }
  }

  done(): number[] {
    return [this.#sum];
  }

  snapshot(): { sum: number } {
    return { sum: this.#sum };
  }

  restore({ sum }: { sum: number }): void {
    this.#sum = sum;
  }
}

/** Passes objects on, and fails on some of them always. */
export class Picky implements Operator<{ in: number }, number, undefined> {
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    for (const value of objects) if (value % 101 === 50) throw new Error(`never ${value}`);
    return objects;
  }

  snapshot(): undefined {
    return undefined;
  }

  restore(): void {}
}

const given = new Map<string, number>();

/** Tells each number once, whoever asks: as a socket does. Every fifth goes to a side output. */
export function once(upTo: number): SidedReader<number, { fifth: number }, number> {
  return {
    kind: "once",
    options: { upTo },
    replayable: false,
    sides: { fifth: "fifth" },
    splits: ({ channels }) => Array.from({ length: channels }, (_, index) => index),
    *read(split, { execution }) {
      const source = `${execution} ${split}`;
      for (;;) {
        const next = given.get(source) ?? 0;
        if (next >= upTo) return;
        if (given.size > executionsMax) given.clear();
        given.set(source, next + 1);
        const value = split * upTo + next;
        if (next % 5 === 0) yield new Side("fifth", value);
        else yield value;
      }
    },
  };
}

/** Reads numbers one by one, odd ones to a side output; asynchronously where the split is odd. */
export function parted(upTo: number): SidedReader<number, { odd: number }, number> {
  function* values(split: number): Generator<number | Side<number>> {
    for (let value = split * upTo; value < (split + 1) * upTo; value++)
      yield value % 2 === 0 ? value : new Side("odd", value);
  }
  async function* later(split: number): AsyncGenerator<number | Side<number>> {
    for (const value of values(split)) yield value;
  }
  return {
    kind: "parted",
    options: { upTo },
    sides: { odd: "odd" },
    splits: ({ channels }) => Array.from({ length: channels * 2 }, (_, index) => index),
    read: (split) => (split % 2 === 0 ? values(split) : later(split)),
  };
}

/** A reader whose runs have marks, so that it can be gone on with in the middle of a split. */
export function marked(upTo: number): Reader<number, number> {
  const runLength = 7;
  return {
    kind: "marked",
    options: { upTo },
    splits: ({ channels }) => Array.from({ length: channels }, (_, index) => index),
    async *read(split, _ctx, from) {
      for (let first = (from?.after as number | undefined) ?? 0; first < upTo; first += runLength) {
        const end = Math.min(upTo, first + runLength);
        yield run(
          Array.from({ length: end - first }, (_, at) => split * upTo + first + at),
          end,
        );
      }
    },
  };
}

/** A sink that keeps what it gets, in the order of tasks, with the seq of each: what an external system would key by. */
export function bySeq(): OutputSink<number, { readonly seqs: number; readonly values: readonly number[] }> {
  interface State {
    readonly seqs: readonly number[];
    readonly values: readonly number[];
  }
  return {
    kind: "by-seq",
    guarantee: "transactional",
    placement: "per-slot",
    open: (): SinkChannel<number> => {
      let state: State = { seqs: [], values: [] };
      return {
        write: (objects, ctx) => {
          if (state.seqs.includes(ctx.seq)) throw new Error(`task ${ctx.seq} was written twice`);
          state = { seqs: [...state.seqs, ctx.seq], values: [...state.values, ...objects] };
        },
        done: () => state,
        snapshot: () => state,
        restore: (restored: State) => void (state = restored),
      };
    },
    result: (parts) => {
      const states = parts as State[];
      return {
        seqs: states.reduce((sum, { seqs }) => sum + seqs.length, 0),
        values: states.flatMap(({ values }) => values),
      };
    },
  };
}
