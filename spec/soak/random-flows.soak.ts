// specs: timeout 400 s
// Thousands of random flows against plain loops: streams that part and meet again, joins of themselves, stages, small
// parcels, little credit, spools on disk; on seeded interleavings in one thread, on threads and on processes.
//
// One again: QSTREAM_SOAK_SEED=123 node --enable-source-maps dist/spec/soak/random-flows.soak.js

import * as assert from "uvu/assert";
import {
  broadcast,
  custom,
  defineFlow,
  hash,
  local,
  min,
  roundRobin,
  sum as sumOf,
  type FlowBuilder,
  type Limits,
  type Operator,
  type PartitionFunction,
  type QStream,
  type Session,
  type Sink,
  type Task,
} from "../../lib/index.ts";
import { numbers } from "../../readers/numbers.ts";
import { suite } from "../kit/suite.ts";
import {
  aggregated,
  broadcastKinds,
  combined,
  copies,
  evaluate,
  grouped,
  joinKinds,
  mapped,
  type Pair,
  passes,
  type RandomGraph,
  randomGraph,
  routes,
  shifted,
  sourced,
  type Step,
  sum,
} from "./random-graph.ts";

const test = suite("random flows");
const onlySeed = process.env["QSTREAM_SOAK_SEED"];
const firstSeed = 1;
const interleavings = 1200;
const onSlots = 240;
const flowMs = 30_000;

/** Adds up one input, and then the sum to each object of the other. */
class Staged implements Operator<{ main: Pair; side: Pair }, Pair> {
  #sum = 0;
  execute({ input, objects }: Task<{ main: Pair; side: Pair }>): readonly Pair[] {
    if (input === "main") return objects.map((pair) => shifted(pair, this.#sum));
    this.#sum += sum(objects);
    return [];
  }
}

class PassOn implements Operator<{ in: Pair }, Pair> {
  execute({ objects }: Task<{ in: Pair }>): readonly Pair[] {
    return objects;
  }
}

const randomFlow = defineFlow(import.meta.url, (q, { steps, outputs }: RandomGraph) => {
  const streams: QStream<Pair>[] = [];
  steps.forEach((step, index) => streams.push(buildStep(q, `${index} ${step.op}`, step, streams)));
  const sinks: Record<string, Sink<Pair[]>> = {};
  for (const output of outputs) sinks[`${output}`] = (streams[output] as QStream<Pair>).collect();
  return sinks;
});

function buildStep(q: FlowBuilder, id: string, step: Step, streams: readonly QStream<Pair>[]): QStream<Pair> {
  if (step.op === "source") {
    const source = q.read(id, numbers(0, step.a * 3), { channels: step.channels });
    return source.map(`${id} pair`, (n) => sourced(n, step.b));
  }
  const [left, right] = step.inputs.map((input) => streams[input] as QStream<Pair>) as [QStream<Pair>, QStream<Pair>];
  return step.inputs.length === 1 ? buildUnary(id, step, left) : buildBinary(q, id, step, left, right);
}

function buildUnary(id: string, { op, a, b, channels }: Step, left: QStream<Pair>): QStream<Pair> {
  switch (op) {
    case "map":
      return left.map(id, (pair) => mapped(pair, a));
    case "filter":
      return left.filter(id, (pair) => passes(pair, a));
    case "flatMap":
      return left.flatMap(id, copies);
    case "reduce": {
      const merge = b % 2 === 0 ? {} : { merge: (one: number, other: number) => one + other };
      const add = (total: number, { v }: Pair): number => total + v;
      const sums = left.reduceByKey(
        id,
        ({ k }) => k,
        () => 0,
        add,
        { ...merge, channels },
      );
      return sums.map(`${id} pair`, ({ key, value }) => ({ k: key, v: value }));
    }
    case "aggregate": {
      const aggregates = { total: sumOf("v"), least: min("v") };
      const groups = left.aggregate(id, { by: "k", aggregates }, { channels });
      return groups.map(`${id} pair`, ({ k, total, least }) => aggregated({ k, total, least: least ?? 0 }));
    }
    case "distinct":
      return left.distinct(id, undefined, { channels });
    case "sort":
      return left.sort(id, b % 2 === 0 ? "v" : ["k", "v"], { memoryBytes: b % 3 === 0 ? 2000 : 1 << 20 });
    case "count":
      return left.count(id).map(`${id} pair`, (v) => ({ k: 0, v }));
    case "topK":
      return left.topK(id, 1 + (a % 20), ["v", "k"]);
    default:
      return left.partition(routeOf(b, channels)).apply(id, () => new PassOn(), { channels });
  }
}

function routeOf(b: number, channels: number): PartitionFunction<Pair> {
  switch (routes[b % routes.length]) {
    case "hash":
      return hash("k");
    case "roundRobin":
      return roundRobin();
    case "broadcast":
      return broadcast();
    default:
      return custom(({ v }: Pair) => (v + b) % channels);
  }
}

function buildBinary(q: FlowBuilder, id: string, step: Step, left: QStream<Pair>, right: QStream<Pair>): QStream<Pair> {
  const { op, a, b, channels } = step;
  const keys =
    b % 2 === 0 ? ({ left: "k", right: "k" } as const) : { left: ({ k }: Pair) => k, right: ({ k }: Pair) => k };
  const how = joinKinds[a % joinKinds.length] ?? "inner";
  switch (op) {
    case "union":
      return left.union(id, right);
    case "join":
      return left.join<Pair, typeof how, never, never, "_2", Pair>(
        id,
        right,
        { ...keys, ...kindOf(how), build: b % 3 === 0 ? "left" : "right" } as never,
        { channels },
      );
    case "streamingJoin":
      return left.streamingJoin<Pair, typeof how, never, never, "_2", Pair>(
        id,
        right,
        { ...keys, ...kindOf(how) } as never,
        { channels },
      );
    case "broadcastJoin": {
      const kind = broadcastKinds[a % broadcastKinds.length] ?? "inner";
      return left.broadcastJoin<Pair, typeof kind, never, never, "_2", Pair>(
        id,
        right,
        { ...keys, ...kindOf(kind) } as never,
        { channels },
      );
    }
    case "cogroup":
      return left.cogroup(
        id,
        right,
        { ...keys, combine: (key, lefts, rights) => grouped(Number(key), lefts, rights) },
        { channels },
      );
    default: {
      const inputs = { main: left, side: right.partition(broadcast()) };
      return q.apply(id, inputs, () => new Staged(), { channels, stages: { side: -1 } });
    }
  }
}

/** Semi and anti joins combine nothing. */
function kindOf(how: (typeof joinKinds)[number]): { how: typeof how; combine?: typeof combined } {
  return how === "semi" || how === "anti" ? { how } : { how, combine: combined };
}

/** Runs the flow of a seed, and compares all its outputs with the oracle's. */
async function runSeed(seed: number, on: Session | undefined): Promise<void> {
  const { graph, random } = randomGraph(seed, 24);
  const pick = (list: readonly number[]): number => list[Math.floor(random() * list.length)] ?? 1;
  const limits: Partial<Limits> = {
    parcelObjects: pick([1, 3, 16, 100, 1024]),
    inputObjects: pick([4, 50, 1000, 65_536]),
    spoolMemoryBytes: pick([1, 4000, 32 << 20]),
  };
  const session = on ?? (await local({ isolation: "none", slots: 1 + Math.floor(random() * 4), seed }));
  try {
    const strict = random() < 0.5;
    const results = await randomFlow.run(graph, { on: session, limits, strict, signal: AbortSignal.timeout(flowMs) });
    const expected = evaluate(graph);
    for (const output of graph.outputs) {
      const found = (results[`${output}`] ?? []).map(({ k, v }) => `${k} ${v}`).toSorted();
      const wanted = (expected[output] ?? []).map(({ k, v }) => `${k} ${v}`).toSorted();
      assert.equal(found, wanted, `output ${output} ${graph.steps[output]?.op}`);
    }
  } catch (error) {
    const again = `QSTREAM_SOAK_SEED=${seed} node --enable-source-maps dist/spec/soak/random-flows.soak.js`;
    const shown = JSON.stringify({ limits, ...graph });
    throw new Error(`seed ${seed} failed; again: ${again}\n${shown}\n${(error as Error).stack}`, { cause: error });
  } finally {
    if (on === undefined) await session.close();
  }
}

if (onlySeed !== undefined) {
  for (const isolation of ["none", "thread", "process"] as const) {
    test(`seed ${onlySeed}, isolation ${isolation}`, async () => {
      if (isolation === "none") return runSeed(Number(onlySeed), undefined);
      await using on = await local({ slots: 2, isolation });
      await runSeed(Number(onlySeed), on);
    });
  }
} else {
  test(`${interleavings} flows on seeded interleavings in one thread`, async () => {
    for (let seed = firstSeed; seed < firstSeed + interleavings; seed++) await runSeed(seed, undefined);
  }, 240_000);

  for (const isolation of ["thread", "process"] as const) {
    test(`${onSlots} flows on two slots of isolation ${isolation}, three at a time`, async () => {
      await using on = await local({ slots: 2, isolation });
      let seed = 1_000_000;
      const end = seed + onSlots;
      const worker = async (): Promise<void> => {
        while (seed < end) await runSeed(seed++, on);
      };
      await Promise.all([worker(), worker(), worker()]);
    }, 120_000);
  }
}

test.run();
