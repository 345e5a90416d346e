import * as assert from "uvu/assert";
import type { ChannelLog, TaskRecord } from "../../../lib/core/contracts/lineage.ts";
import type { Operator, Task } from "../../../lib/core/contracts/operator.ts";
import { multiset } from "../../../lib/testing/index.ts";
import { hash } from "../../../lib/partition/index.ts";
import type { FlowBuilder, Sink } from "../../../lib/flow/flow-builder.ts";
import type { Plan } from "../../../lib/core/plan.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { runInWorld } from "../../kit/cluster.ts";
import { MemoryLineage } from "../../kit/memory-lineage.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("channels and their lineage");
const n = 4000;

/** Passes on what it gets, and everything again at its end, through a generator. */
class Twice implements Operator<{ in: number }, number> {
  readonly #all: number[] = [];
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    this.#all.push(...objects);
    return objects;
  }
  *done(): Generator<number> {
    yield* this.#all;
  }
}

const build = (q: FlowBuilder): Record<string, Sink<unknown>> => ({
  out: q
    .read("numbers", numbers(0, n))
    .partition(hash((value) => value))
    .apply("twice", () => new Twice(), { channels: 2 })
    .to(collect()),
});

type LoggedTask = TaskRecord & { readonly step: number; readonly channel: number };

/** The records of a lineage, with the step and channel of each. */
function tasksOf(lineage: MemoryLineage, plan: Plan): LoggedTask[] {
  const places = plan.steps.flatMap((step, index) =>
    Array.from({ length: step.channels }, (_, channel) => ({ step: index, channel })),
  );
  return lineage.records.map(({ channel, record }) => ({
    ...record,
    ...(places[channel.number] as (typeof places)[0]),
  }));
}

function byChannel(records: readonly LoggedTask[]): Map<string, LoggedTask[]> {
  const channels = new Map<string, LoggedTask[]>();
  for (const record of records) {
    const key = `${record.step}.${record.channel}`;
    channels.set(key, [...(channels.get(key) ?? []), record]);
  }
  return channels;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test("every task is logged with its cause, numbered without gaps, and says what it consumed and sent", async () => {
  const lineage = new MemoryLineage();
  const { parts, plan } = await runInWorld(build, { lineage }, { parcelObjects: 64 });
  const collected = (parts.get("out") as readonly { rows?: unknown }[]).length;
  assert.is(collected, 1);
  const tasks = tasksOf(lineage, plan);
  const channels = byChannel(tasks);
  assert.is(channels.size, 5);
  for (const [key, records] of channels)
    assert.equal(
      records.map(({ seq }) => seq),
      records.map((_, index) => index),
      key,
    );
  const kinds = (step: number): Set<string> =>
    new Set(tasks.filter((record) => record.step === step).map(({ cause }) => cause.kind));
  const indexOf = (id: string): number => plan.steps.findIndex((step) => step.id === id);
  assert.equal(kinds(indexOf("numbers")), new Set(["read"]));
  assert.equal(kinds(indexOf("twice")), new Set(["parcels", "input-end", "done", "continue"]));
  assert.equal(kinds(indexOf("out")), new Set(["parcels", "input-end", "done"]));
  const reads = tasks.flatMap(({ cause }) => (cause.kind === "read" ? [cause] : []));
  assert.is(sum(reads.map(({ count }) => count)), n);
  for (const split of new Set(reads.map((cause) => cause.split))) {
    let position = 0;
    for (const read of reads.filter((cause) => cause.split === split)) {
      assert.is(read.position, position, "reads of a split follow each other");
      position += read.count;
    }
  }
  const sent = tasks.flatMap(({ produced }) => produced);
  const input = plan.steps[indexOf("twice")]?.inputs[0]?.edge;
  assert.is(sum(sent.filter(({ edge }) => edge === input).map(({ objects }) => objects)), n);
  assert.is(sum(sent.filter(({ edge }) => edge !== input).map(({ objects }) => objects)), 2 * n);
  for (const { edge, from, firstSeq, lastSeq } of tasks.flatMap(({ consumed }) => consumed)) {
    const producer = plan.edges[edge]?.from ?? -1;
    const seqs = (channels.get(`${producer}.${from}`) ?? []).map(({ seq }) => seq);
    assert.ok(
      firstSeq <= lastSeq && seqs.includes(firstSeq) && seqs.includes(lastSeq),
      "what was consumed had been logged by its producer",
    );
  }
});

for (const uncommittedTasks of [1, 5]) {
  test(`nothing is consumed before its producer's record is durable, with at most ${uncommittedTasks} tasks ahead`, async () => {
    const committed = new Set<string>();
    const waiting = new Map<string, number>();
    let most = 0;
    const violations: string[] = [];
    const lineage = new (class extends MemoryLineage {
      #queue: (() => void)[] = [];
      override append(channel: ChannelLog, record: TaskRecord, done: () => void): void {
        this.records.push({ channel, record });
        // Channels are numbered by steps: two readers, two operators, a sink.
        const key = `${Math.floor(channel.number / 2)}.${channel.number % 2}`;
        for (const { edge, from, firstSeq, lastSeq } of record.consumed) {
          for (const seq of [firstSeq, lastSeq]) {
            // The flow is a line: edge N leaves step N.
            if (!committed.has(`${edge}.${from}.${seq}`)) violations.push(`${key} took ${seq} of ${from}`);
          }
        }
        waiting.set(key, (waiting.get(key) ?? 0) + 1);
        most = Math.max(most, waiting.get(key) ?? 0);
        this.#queue.push(() => {
          committed.add(`${key}.${record.seq}`);
          waiting.set(key, (waiting.get(key) ?? 0) - 1);
          done();
        });
        // Commits are grouped and late, as a real log's are.
        if (this.#queue.length === 1) {
          setTimeout(() => {
            for (const commit of this.#queue.splice(0)) commit();
          }, 1);
        }
      }
    })();
    const { parts } = await runInWorld(build, { lineage }, { parcelObjects: 64, uncommittedTasks });
    assert.is(parts.size, 1);
    assert.equal(violations, []);
    assert.ok(most <= uncommittedTasks, `${most} tasks ahead`);
    if (uncommittedTasks > 1) assert.ok(most > 1, "tasks do run ahead");
  });
}

test("events come in order, and metrics add up", async () => {
  const { events, metrics } = await runInWorld(build, {}, { parcelObjects: 64 });
  const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== "progress");
  assert.equal(kinds, ["placed", "started", "done"]);
  const placed = events.flatMap((event) => (event.kind === "placed" ? event.placement : []));
  assert.equal(multiset(placed.map(({ step }) => step)), multiset(["numbers", "numbers", "twice", "twice", "out"]));
  const of = (id: string): (typeof metrics.steps)[number]["metrics"] => {
    const step = metrics.steps.find((candidate) => candidate.step === id);
    if (step === undefined) throw new Error(`no metrics of ${id}`);
    assert.is(step.channelsDone, step.channels);
    return step.metrics;
  };
  assert.is(metrics.rowsRead, n);
  assert.equal(
    [of("numbers").objectsOut, of("twice").objectsIn, of("twice").objectsOut, of("out").objectsIn],
    [n, n, 2 * n, 2 * n],
  );
  assert.is(of("numbers").parcelsOut, of("twice").parcelsIn);
  assert.is(of("twice").parcelsOut, of("out").parcelsIn);
  assert.is(of("numbers").splitsDone, of("numbers").splits);
  assert.ok(of("twice").tasks > 10 && of("twice").busyMs > 0);
  assert.ok(metrics.bytesExchanged > 0 && metrics.bytesSpooled === 0);
});

test.run();
