// specs: timeout 120 s
// Loops without rounds: what is fed back is taken as it comes, and the loop ends once nothing is on its way any more.
import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  defineFlow,
  feedback,
  hash,
  numbers,
  reader,
  run,
  type Feedback,
  type LastRound,
  type LoopOperator,
  type Reader,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { bothWays, chainEdges, componentsOf, LabelsAtOnce, type Edge } from "../../kit/loops.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("loops without rounds");
const here: RunOptions = { isolation: "none", slots: 2, store: "none" };

const components = defineFlow(
  import.meta.url,
  (q, { edges, channels }: { edges: readonly Edge[]; channels: number }) => {
    const labels = q.iterate("label", { edges: bothWays(q, edges) }, () => new LabelsAtOnce(), {
      feedback: hash("to"),
      rounds: false,
      channels,
    });
    return { labels: labels.collect() };
  },
);

const vertex = fc.integer({ min: 0, max: 30 });
const smallLimits = fc.record({
  parcelObjects: fc.integer({ min: 1, max: 20 }),
  inputObjects: fc.integer({ min: 1, max: 20 }),
  inputBytes: fc.integer({ min: 1, max: 2000 }),
  spoolMemoryBytes: fc.constantFrom(0, 300, 1 << 20),
});

test("give the components that a plain loop finds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ from: vertex, to: vertex }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      smallLimits,
      fc.nat(),
      async (edges, channels, slots, limits, seed) => {
        const { labels } = await components.run({ edges, channels }, { ...here, slots, limits, seed, strict: true });
        assert.equal(new Map(labels.map(({ vertex: at, label }) => [at, label])), componentsOf(edges));
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

test("go on with tiny windows, whatever waits, on threads and in processes", async () => {
  const edges = Array.from({ length: 600 }, (_, n) => chainEdges(n, 12)[0] as Edge);
  const limits = { inputObjects: 2, parcelObjects: 1, inputBytes: 60, spoolMemoryBytes: 0 };
  for (const isolation of ["thread", "process"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { labels } = await components.run({ edges, channels: 2 }, { isolation, slots: 2, store: "none", limits });
    assert.ok(labels.length === 600 && labels.every(({ vertex: at, label }) => label === at - (at % 12)));
  }
}, 60_000);

test("say no round, which they don't have", async () => {
  const edges = Array.from({ length: 200 }, (_, n) => chainEdges(n, 12)[0] as Edge);
  const execution = await components.start({ edges, channels: 2 }, here);
  await execution.outputs;
  assert.is(execution.metrics?.steps.find(({ step }) => step === "label")?.metrics.round, 0);
});

type Steps = { start: number; feedback: number };

/** One object at a time goes round, a long way: between two steps of it all channels have nothing to do. */
class Stepping implements LoopOperator<Steps, string, number> {
  *execute({ objects }: Task<Steps>): Generator<Feedback<number> | string, void> {
    for (const left of objects) yield left === 0 ? "arrived" : feedback(left - 1);
  }
}

const stepping = defineFlow(import.meta.url, (q) => ({
  told: q
    .iterate("step", { start: q.read("numbers", numbers(200, 201)) }, () => new Stepping(), {
      feedback: hash((left) => left),
      rounds: false,
      channels: 3,
    })
    .collect(),
}));

test("don't end while a single object is on its way", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal(await stepping.run({}, { ...here, seed }), { told: ["arrived"] });
  }
});

/** Counts what it takes; without rounds, too, all channels know at the end what all of them say. */
class Counting implements LoopOperator<Steps, string, number, number> {
  #taken = 0;

  *execute({ objects }: Task<Steps>): Generator<Feedback<number>, void> {
    this.#taken += objects.length;
    for (const left of objects) if (left > 0) yield feedback(left - 1);
  }

  vote(): number {
    return this.#taken;
  }

  merge(left: number, right: number): number {
    return left + right;
  }

  done({ before: { vote, fed } }: LastRound<number>): string[] {
    return [`${vote} taken, ${fed} on their way`];
  }
}

test("tell all channels at the end what they said together", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    told: q
      .iterate("count", { start: q.read("numbers", numbers(0, 10)) }, () => new Counting(), {
        feedback: hash((left) => left),
        rounds: false,
        channels: 2,
      })
      .collect(),
  }));
  const all = "55 taken, 0 on their way";
  assert.equal(await flow.run({}, here), { told: [all, all] });
});

/** Numbers without an end. */
function unending(): Reader<number> {
  return reader({
    kind: "unending",
    endless: true,
    splits: () => [0],
    *read() {
      for (let from = 0; ; from += 10) yield run(Array.from({ length: 10 }, (_, at) => from + at));
    },
  });
}

const live = defineFlow(import.meta.url, (q) => ({
  first: q
    .iterate("step", { start: q.read("numbers", unending()).map("few", (n) => n % 4) }, () => new Stepping(), {
      feedback: hash((left) => left),
      rounds: false,
      channels: 2,
    })
    .limit("first", 30)
    .collect(),
}));

test("behind an endless stream end once nobody wants more", async () => {
  const { first } = await live.run({}, here);
  assert.is(first.length, 30);
});

test.run();
