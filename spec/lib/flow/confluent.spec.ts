import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  broadcast,
  custom,
  defineFlow,
  hash,
  local,
  roundRobin,
  type FlowBuilder,
  type Operator,
  type PartitionFunction,
  type QStream,
  type Task,
} from "../../../lib/index.ts";
import { multiset, topology } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("confluent flows");

/** A step of a small random flow, as data: what it is and which earlier streams it takes. */
interface RandomStep {
  readonly kind: "map" | "filter" | "flatMap" | "double" | "sums" | "merge";
  readonly from: number;
  readonly other: number;
  readonly channels: number;
  readonly by: "hash" | "round-robin" | "custom" | "default";
  readonly stage: number;
}

interface RandomFlow {
  readonly n: number;
  readonly steps: readonly RandomStep[];
}

const bounded = 100_003;

/** Passes everything on at once, by a generator. */
class Double implements Operator<{ in: number }, number> {
  *execute({ objects }: Task<{ in: number }>): Generator<number> {
    for (const n of objects) yield (n * 2) % bounded;
  }
}

/** The sum of each of seven classes, at the end. */
class Sums implements Operator<{ in: number }, number> {
  readonly #sums = new Map<number, number>();
  execute({ objects }: Task<{ in: number }>): void {
    for (const n of objects) this.#sums.set(n % 7, (this.#sums.get(n % 7) ?? 0) + n);
  }
  done(): number[] {
    return [...this.#sums.values()].map((sum) => sum % bounded);
  }
}

/** Adds ten times the count of the left input to what comes on the right, however they are interleaved. */
class Merge implements Operator<{ left: number; right: number }, number> {
  readonly #right: number[] = [];
  #count = 0;
  execute({ input, objects }: Task<{ left: number; right: number }>): void {
    if (input === "left") this.#count += objects.length;
    else this.#right.push(...objects);
  }
  async *done(): AsyncGenerator<number> {
    for (const n of this.#right) yield (n + 10 * this.#count) % bounded;
  }
}

const random = defineFlow(import.meta.url, (q, args: RandomFlow) => {
  const streams: QStream<number>[] = [
    q.read("source", numbers(0, args.n)),
    q.read("second", numbers(5, 5 + Math.floor(args.n / 2)), { channels: 3 }),
  ];
  args.steps.forEach((step, index) => streams.push(build(q, streams, step, `s${index}`)));
  return Object.fromEntries(streams.map((stream, index) => [`out${index}`, stream.to(collect())]));
});

function partitionOf(by: RandomStep["by"]): PartitionFunction<number> | undefined {
  if (by === "hash") return hash((n) => n % 7);
  if (by === "round-robin") return roundRobin();
  return by === "custom" ? custom((n, { channels }) => n % channels) : undefined;
}

function build(
  q: FlowBuilder,
  streams: readonly QStream<number>[],
  { kind, from, other, channels, by, stage }: RandomStep,
  id: string,
): QStream<number> {
  const first = streams[from % streams.length] as QStream<number>;
  const partition = partitionOf(by);
  switch (kind) {
    case "map":
      return first.map(id, (n) => (n * 3 + 1) % bounded);
    case "filter":
      return first.filter(id, (n) => n % 3 !== 0);
    case "flatMap":
      return first.flatMap(id, (n) => (n % 2 === 0 ? [n, n + 1] : []));
    case "double":
      return partition === undefined
        ? first.apply(id, () => new Double(), { channels })
        : first.partition(partition).apply(id, () => new Double(), { channels });
    case "sums":
      return first.partition(hash((n) => n % 7)).apply(id, () => new Sums(), { channels });
    case "merge": {
      const second = streams[other % streams.length] as QStream<number>;
      return q.apply(
        id,
        { left: first.partition(broadcast()), right: second.partition(partition ?? roundRobin()) },
        () => new Merge(),
        { channels, stages: { right: stage } },
      );
    }
  }
}

/** The same by plain arrays. */
function oracle({ n, steps }: RandomFlow): number[][] {
  const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
  const streams = [upTo(0, n), upTo(5, 5 + Math.floor(n / 2))];
  for (const { kind, from, other } of steps) {
    const first = streams[from % streams.length] ?? [];
    const second = streams[other % streams.length] ?? [];
    streams.push(apply(kind, first, second));
  }
  return streams;
}

function apply(kind: RandomStep["kind"], first: readonly number[], second: readonly number[]): number[] {
  switch (kind) {
    case "map":
      return first.map((value) => (value * 3 + 1) % bounded);
    case "filter":
      return first.filter((value) => value % 3 !== 0);
    case "flatMap":
      return first.flatMap((value) => (value % 2 === 0 ? [value, value + 1] : []));
    case "double":
      return first.map((value) => (value * 2) % bounded);
    case "sums": {
      const sums = new Map<number, number>();
      for (const value of first) sums.set(value % 7, (sums.get(value % 7) ?? 0) + value);
      return [...sums.values()].map((sum) => sum % bounded);
    }
    case "merge":
      return second.map((value) => (value + 10 * first.length) % bounded);
  }
}

const randomStep = fc.record({
  kind: fc.constantFrom<RandomStep["kind"]>("map", "filter", "flatMap", "double", "sums", "merge"),
  from: fc.nat(9),
  other: fc.nat(9),
  channels: fc.integer({ min: 1, max: 4 }),
  by: fc.constantFrom<RandomStep["by"]>("hash", "round-robin", "custom", "default"),
  stage: fc.nat(1),
});
const randomFlow = fc.record({ n: fc.nat(300), steps: fc.array(randomStep, { minLength: 1, maxLength: 6 }) });
const limits = fc.record({
  parcelObjects: fc.integer({ min: 1, max: 50 }),
  inputObjects: fc.integer({ min: 1, max: 200 }),
  spoolMemoryBytes: fc.constantFrom(0, 500, 1 << 20),
});

function check(args: RandomFlow, outputs: Record<string, unknown>): void {
  oracle(args).forEach((expected, index) => {
    assert.equal(multiset(outputs[`out${index}`] as number[]), multiset(expected), `output ${index}`);
  });
}

test("random flows, batching and channel counts give what plain arrays give, under any seeded interleaving", async () => {
  await fc.assert(
    fc.asyncProperty(
      randomFlow,
      limits,
      fc.nat(1_000_000),
      fc.integer({ min: 1, max: 3 }),
      async (args, chosen, seed, slots) => {
        await using on = await local({ slots, isolation: "none", seed });
        check(args, await random.run(args, { on, limits: chosen, strict: true }));
      },
    ),
    { numRuns: 60 },
  );
}, 30_000);

for (const isolation of ["thread", "process"] as const) {
  test(`random flows give the same on two slots (${isolation})`, async () => {
    const place = topology(isolation, { slots: 2, isolation });
    const on = await place.session();
    await fc.assert(
      fc.asyncProperty(randomFlow, limits, async (args, chosen) =>
        check(args, await random.run(args, { on, limits: chosen })),
      ),
      { numRuns: 25 },
    );
    await place.close();
  });
}

test("a seed gives the same interleaving again: outputs in the same order", async () => {
  const args: RandomFlow = {
    n: 400,
    steps: [
      { kind: "double", from: 0, other: 0, channels: 3, by: "round-robin", stage: 0 },
      { kind: "merge", from: 1, other: 2, channels: 2, by: "hash", stage: 0 },
    ],
  };
  const order = async (seed: number): Promise<string> => {
    await using on = await local({ slots: 2, isolation: "none", seed });
    return JSON.stringify(await random.run(args, { on, limits: { parcelObjects: 5 } }));
  };
  assert.is(await order(4), await order(4));
  assert.ok(new Set(await Promise.all([1, 2, 3].map(order))).size > 1, "different seeds interleave differently");
});

test.run();
