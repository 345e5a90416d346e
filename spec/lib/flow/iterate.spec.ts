// specs: timeout 120 s
// Loops with rounds against plain loops: whatever the graph, the channels, the limits and the way to end.
import fc from "fast-check";
import * as assert from "uvu/assert";
import { tableFromArrays, type Table } from "apache-arrow";
import {
  defineFlow,
  feedback,
  hash,
  numbers,
  type Feedback,
  type IterateOptions,
  type LastRound,
  type LoopOperator,
  type Round,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { bothWays, chainEdges, componentsOf, LabelRounds, type Edge } from "../../kit/loops.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("loops with rounds");
const here: RunOptions = { isolation: "none", slots: 2, store: "none" };

const components = defineFlow(
  import.meta.url,
  (q, { edges, channels }: { edges: readonly Edge[]; channels: number }) => {
    const labels = q.iterate("label", { edges: bothWays(q, edges) }, () => new LabelRounds(), {
      feedback: hash("to"),
      channels,
    });
    return { labels: labels.collect() };
  },
);

const vertex = fc.integer({ min: 0, max: 30 });
const graphs = fc.array(fc.record({ from: vertex, to: vertex }), { maxLength: 60 });
const smallLimits = fc.record({
  parcelObjects: fc.integer({ min: 1, max: 20 }),
  inputObjects: fc.integer({ min: 1, max: 20 }),
  inputBytes: fc.integer({ min: 1, max: 2000 }),
  spoolMemoryBytes: fc.constantFrom(0, 300, 1 << 20),
});

test("give the components that a plain loop finds", async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      smallLimits,
      fc.nat(),
      async (edges, channels, slots, limits, seed) => {
        const { labels } = await components.run({ edges, channels }, { ...here, slots, limits, seed, strict: true });
        const found = new Map(labels.map(({ vertex: at, label }) => [at, label]));
        assert.equal(found, componentsOf(edges));
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

type Counting = { start: number; feedback: number };

/** Sends what it gets on, one more each time, and tells which rounds there were. */
class Climbing implements LoopOperator<Counting, string, number, number> {
  #here: number[] = [];
  #rounds: string[] = [];

  execute({ objects }: Task<Counting>): void {
    this.#here.push(...objects);
  }

  *round({ number, before }: Round<number>): Generator<Feedback<number>, void> {
    this.#rounds.push(`${number} after ${before === undefined ? "nothing" : `${before.fed} fed, vote ${before.vote}`}`);
    for (const at of this.#here) yield feedback(at + 1);
    this.#here = [];
  }

  vote(): number {
    return this.#rounds.length;
  }

  merge(left: number, right: number): number {
    return left + right;
  }

  *done({ number, before }: LastRound<number>): Generator<string, void> {
    for (const at of this.#here) yield `at ${at}`;
    this.#rounds.push(`over at ${number}, vote ${before.vote}`);
    yield this.#rounds.join(", ");
  }
}

type Ends = Pick<IterateOptions<"start", number, number, number>, "rounds" | "until" | "roundsMax">;

// oxlint-disable-next-line typescript/explicit-function-return-type -- a flow's type is inferred
function climbing(ends: Ends, upTo = 1) {
  return defineFlow(import.meta.url, (q) => ({
    told: q
      .iterate("climb", { start: q.read("numbers", numbers(0, upTo)) }, () => new Climbing(), {
        feedback: (fed) => fed.filter("low", (at) => at < 4).partition(hash((at) => at)),
        channels: 2,
        ...ends,
      })
      .collect(),
  }));
}

const sorted = (told: readonly string[]): string[] => told.toSorted();

test("a count says how often what is fed back returns", async () => {
  const { told } = await climbing({ rounds: 2 }).run({}, here);
  const rounds = "0 after nothing, 1 after 1 fed, vote 2, over at 2, vote 4";
  assert.equal(sorted(told), [rounds, rounds, "at 2"]);
});

test("a condition is asked at the end of each round, and what was fed back in the last is still taken", async () => {
  const asked: unknown[] = [];
  const flow = climbing({
    until: (end) => {
      asked.push(end);
      return end.vote === 6;
    },
  });
  const { told } = await flow.run({}, here);
  assert.ok(told.includes("at 3"), told.join("; "));
  const once = [0, 1, 2].map((round) => ({ round, fed: 1, vote: 2 * (round + 1) }));
  assert.equal(asked.length, 6, "each of two channels asks");
  for (const end of once) assert.is(asked.filter((other) => JSON.stringify(other) === JSON.stringify(end)).length, 2);
});

test("without either it ends once nothing was fed back, by what is left behind the functions on the edge", async () => {
  const { told } = await climbing({}).run({}, here);
  const rounds =
    "0 after nothing, 1 after 1 fed, vote 2, 2 after 1 fed, vote 4, 3 after 1 fed, vote 6, over at 4, vote 8";
  assert.equal(sorted(told), [rounds, rounds]);
});

test("a loop with a count or a condition goes on where nothing was fed back", async () => {
  const { told } = await climbing({ rounds: 6 }, 0).run({}, here);
  assert.ok(
    told.every((text) => text.endsWith("5 after 0 fed, vote 10, over at 6, vote 12")),
    told.join("; "),
  );
});

test("inputs without objects are one round", async () => {
  const once = "0 after nothing, over at 1, vote 2";
  assert.equal(await climbing({}, 0).run({}, here), { told: [once, once] });
  assert.equal(await components.run({ edges: [], channels: 3 }, here), { labels: [] });
});

test("what is fed back beyond all windows waits on disk, also on threads", async () => {
  const edges = Array.from({ length: 3000 }, (_, n) => chainEdges(n, 4)[0] as Edge);
  const limits = { inputObjects: 4, parcelObjects: 2, inputBytes: 200, spoolMemoryBytes: 0 };
  const execution = await components.start({ edges, channels: 2 }, { slots: 2, store: "none", limits });
  const { labels } = await execution.outputs;
  assert.ok(labels.length === 3000 && labels.every(({ vertex: at, label }) => label === at - (at % 4)));
  const step = execution.metrics?.steps.find(({ step: id }) => id === "label");
  assert.ok((step?.metrics.spooledBytes ?? 0) > 0, "nothing went to disk");
  assert.is(step?.metrics.round, 4);
}, 60_000);

/** Sums columns over rounds. */
class Columns implements LoopOperator<{ start: number; feedback: Table }, number, Table> {
  #sum = 0;
  #rows: number[] = [];

  execute({ input, objects }: Task<{ start: number; feedback: Table }>): void {
    if (input === "start") this.#rows.push(...objects);
    else for (const table of objects) this.#rows.push(...(table.getChild("n")?.toArray() as Int32Array));
  }

  *round(): Generator<Feedback<Table>, void> {
    for (const n of this.#rows) this.#sum += n;
    for (const some of [this.#rows.slice(0, 3), this.#rows.slice(3)]) {
      if (some.length > 0) yield feedback(tableFromArrays({ n: Int32Array.from(some, (n) => n + 1) }));
    }
    this.#rows = [];
  }

  done(): number[] {
    return [this.#sum];
  }
}

const columns = defineFlow(import.meta.url, (q) => ({
  sums: q
    .iterate("sum", { start: q.read("numbers", numbers(0, 10)) }, () => new Columns(), {
      feedback: hash("n" as never),
      rounds: 5,
      channels: 2,
    })
    .collect(),
}));

test("batches are fed back as objects are", async () => {
  for (const options of [here, { slots: 2, store: "memory" }]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { sums } = await columns.run({}, options);
    const sum = sums.reduce((left, right) => left + right, 0);
    assert.is(sum, 5 * 45 + 10 * (1 + 2 + 3 + 4));
  }
});

/** Sums all of several channels, in as many rounds as it is asked for. */
class Agreeing implements LoopOperator<{ all: number }, string, never, number> {
  #sum = 0;

  execute({ objects }: Task<{ all: number }>): void {
    for (const n of objects) this.#sum += n;
  }

  round(): void {}

  vote(): number {
    return this.#sum;
  }

  merge(left: number, right: number): number {
    return left + right;
  }

  done({ number, before: { vote, fed } }: LastRound<number>): string[] {
    return [`${vote} after ${number}, ${fed} fed`];
  }
}

test("votes alone need no feedback edge of one's own", async () => {
  for (const [rounds, after] of [
    [undefined, 1],
    [3, 3],
  ] as const) {
    const flow = defineFlow(import.meta.url, (q) => ({
      told: q
        .iterate("agree", { all: q.read("numbers", numbers(0, 10)) }, () => new Agreeing(), {
          channels: 3,
          ...(rounds === undefined ? {} : { rounds }),
        })
        .collect(),
    }));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal(await flow.run({}, here), { told: Array.from({ length: 3 }, () => `45 after ${after}, 0 fed`) });
    assert.match(String(flow.explain({}, { slots: 2 })), `loop: ${after} round${after === 1 ? "" : "s"}`);
  }
});

/** A vote that the operator goes on with, and that merging changes. */
class Adding extends Agreeing {
  readonly total = { sum: 0, rounds: 0 };

  override execute({ objects }: Task<{ all: number }>): void {
    for (const n of objects) this.total.sum += n;
  }

  override round(): void {
    this.total.rounds++;
  }

  override vote(): never {
    return this.total as never;
  }

  override merge(left: never, right: never): never {
    const [into, from] = [left, right] as (typeof this.total)[];
    if (into !== undefined && from !== undefined) into.sum += from.sum;
    return left;
  }

  override done({ before }: LastRound<number>): string[] {
    return [JSON.stringify(before.vote)];
  }
}

test("a vote is what it was when it was given, whatever becomes of the object", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    told: q
      .iterate("add", { all: q.read("numbers", numbers(0, 10)) }, () => new Adding(), { channels: 3, rounds: 2 })
      .collect(),
  }));
  const { told } = await flow.run({}, { ...here, slots: 1 });
  assert.equal(
    told,
    Array.from({ length: 3 }, () => '{"sum":45,"rounds":2}'),
  );
});

test("explain shows the edge and what ends the loop", async () => {
  const flow = climbing({ rounds: 3 });
  const [text, mermaid, dot] = (["text", "mermaid", "dot"] as const).map((as) =>
    String(flow.explain({}, { slots: 2, as })),
  );
  assert.match(text ?? "", "loop: 3 rounds");
  assert.match(text ?? "", "feedback <- climb: [feedback] low > hash");
  assert.match(mermaid ?? "", '-. "feedback');
  assert.match(dot ?? "", "style=dashed");
});

test.run();
