// specs: timeout 120 s
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { broadcast, defineFlow, hash, type Operator, type OutputSink, type Task } from "../../../lib/index.ts";
import { topologies } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("stages, spools and backpressure");
const places = topologies();

type Both = { build: number; probe: number };

/** How often each probed number was built; the build side has to be there first. */
class Lookup implements Operator<Both, { n: number; found: number }> {
  readonly #built = new Map<number, number>();
  #building = true;
  execute({ input, objects }: Task<Both>): readonly { n: number; found: number }[] {
    if (input === "probe") {
      if (this.#building) throw new Error("probed before the build side ended");
      return objects.map((n) => ({ n, found: this.#built.get(n) ?? 0 }));
    }
    for (const n of objects) this.#built.set(n, (this.#built.get(n) ?? 0) + 1);
    return [];
  }
  inputDone(input: string): void {
    if (input === "build") this.#building = false;
  }
}

const diamond = defineFlow(import.meta.url, (q, args: { n: number; channels: number; sameOrigin: boolean }) => {
  const source = q.read("numbers", numbers(0, args.n));
  const even = source.filter("even", (n) => n % 2 === 0);
  const other = args.sameOrigin ? even : q.read("others", numbers(0, args.n)).filter("even too", (n) => n % 2 === 0);
  const joined = q.apply(
    "lookup",
    { probe: source.partition(hash((n) => n)), build: other.partition(hash((n) => n)) },
    () => new Lookup(),
    { channels: args.channels, stages: { probe: 1 } },
  );
  return { found: joined.to(collect()) };
});

class InStep implements Operator<{ left: number; right: number }, number> {
  readonly #queues = { left: [] as number[], right: [] as number[] };
  accepts(input: string): boolean {
    const [own, other] =
      input === "left" ? [this.#queues.left, this.#queues.right] : [this.#queues.right, this.#queues.left];
    return own.length <= other.length;
  }
  execute({ input, objects }: Task<{ left: number; right: number }>): readonly number[] {
    this.#queues[input].push(...objects);
    const { left, right } = this.#queues;
    const count = Math.min(left.length, right.length);
    const rights = right.splice(0, count);
    return left.splice(0, count).map((n, index) => n + (rights[index] ?? 0));
  }
}

const inStep = defineFlow(import.meta.url, (q, args: { n: number }) => {
  const source = q.read("numbers", numbers(0, args.n), { channels: 1 });
  const late = source.apply("late", () => new Late(), { channels: 1 });
  const zipped = q.apply(
    "zip",
    { left: source, right: late },
    {
      kind: "zip",
      declares: "order-sensitive",
      parallelism: "single",
      representations: ["objects"],
      mayBlock: true,
      create: () => new InStep(),
    },
  );
  return { sums: zipped.to(collect()) };
});

/** Passes nothing on until its input has ended. */
class Late implements Operator<{ in: number }, number> {
  readonly #all: number[] = [];
  execute({ objects }: Task<{ in: number }>): void {
    this.#all.push(...objects);
  }
  done(): number[] {
    return this.#all;
  }
}

/** Refuses one of its inputs forever: an operator that everything waits for. */
class Stubborn implements Operator<{ left: number; right: number }, number> {
  accepts(input: string): boolean {
    return input === "left";
  }
  execute(): void {}
}

const deadlocked = defineFlow(import.meta.url, (q) => {
  const left = q.read("left numbers", numbers(0, 10), { channels: 1 });
  const right = q.read("right numbers", numbers(0, 100_000), { channels: 1 });
  return { out: q.apply("stubborn", { left, right }, () => new Stubborn(), { channels: 1 }).to(collect()) };
});

function slowSink(pauseMs: number): OutputSink<number, number> {
  return {
    kind: "slow",
    guarantee: "idempotent",
    placement: "single",
    open: () => {
      let count = 0;
      return {
        write: async (objects) => {
          count += objects.length;
          await wait(pauseMs);
        },
        done: () => count,
      };
    },
    result: (parts) => (parts as number[]).reduce((sum, part) => sum + part, 0),
  };
}

const pressed = defineFlow(import.meta.url, (q) => ({
  count: q.read("numbers", numbers(0, 10_000_000)).partition(broadcast()).to(slowSink(20)),
}));

const patient = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 10), { channels: 1 })
    .apply(
      "patient",
      () => ({
        execute({ objects }: Task<{ in: number }>): readonly number[] {
          const end = performance.now() + 1800;
          while (performance.now() < end);
          return objects;
        },
      }),
      { channels: 1 },
    )
    .to(collect()),
}));

const tiny = { inputObjects: 2000, inputBytes: 16_000, spoolMemoryBytes: 4000 };

for (const { name, session } of places) {
  for (const channels of [1, 3]) {
    test(`${name}: a diamond with stages spools to disk and gives all, in ${channels} channels`, async () => {
      const n = 30_000;
      const execution = await diamond.start({ n, channels, sameOrigin: true }, { on: await session(), limits: tiny });
      const { found } = await execution.outputs;
      assert.is(found.length, n);
      assert.ok(found.every((row) => row.found === (row.n % 2 === 0 ? 1 : 0)));
      assert.ok((execution.metrics?.bytesSpooled ?? 0) > 20_000, `${execution.metrics?.bytesSpooled} bytes spooled`);
    });
  }

  test(`${name}: the spool stays in memory as long as it fits`, async () => {
    const execution = await diamond.start(
      { n: 20_000, channels: 2, sameOrigin: true },
      { on: await session(), limits: { inputObjects: 2000, inputBytes: 16_000 } },
    );
    assert.is((await execution.outputs).found.length, 20_000);
    assert.is(execution.metrics?.bytesSpooled, 0);
  });

  test(`${name}: streams of different origin with stages hold back and never spool`, async () => {
    const execution = await diamond.start(
      { n: 30_000, channels: 2, sameOrigin: false },
      { on: await session(), limits: tiny },
    );
    assert.is((await execution.outputs).found.length, 30_000);
    assert.is(execution.metrics?.bytesSpooled, 0);
  });

  test(`${name}: a spool that needs more disk than allowed is an error that names the limit`, async () => {
    const on = await session();
    const limits = { ...tiny, spoolDiskBytes: 10_000 };
    const error = await failure(
      () => diamond.run({ n: 30_000, channels: 2, sameOrigin: true }, { on, limits }),
      "LIMIT_EXCEEDED",
      { step: "numbers" },
    );
    assert.match(error.message, "spoolDiskBytes");
  });

  test(`${name}: an operator that keeps its inputs in step doesn't deadlock on one origin`, async () => {
    const { sums } = await inStep.run({ n: 30_000 }, { on: await session(), limits: tiny });
    assert.equal(
      sums,
      Array.from({ length: 30_000 }, (_, n) => 2 * n),
    );
  });

  test(`${name}: where everything waits for everything, the error names the edge and the setting`, async () => {
    const on = await session();
    const error = await failure(() => deadlocked.run({}, { on, limits: tiny }), "DEADLOCK");
    assert.match(error.message, 'from "right numbers" to input "right" of "stubborn"');
    assert.match(error.message, "limits.inputBytes");
    assert.match(error.message, /"stubborn" channel 0 waits for/);
  });

  test(`${name}: a slow sink holds back the reader: what is read ahead is bounded, and nothing is written`, async () => {
    const execution = await pressed.start({}, { on: await session(), limits: { inputObjects: 10_000 } });
    await wait(700);
    const { metrics: now } = execution;
    if (now === undefined) throw new Error("there are no metrics yet");
    const { rowsRead, bytesSpooled, channels } = now;
    const read = channels.filter(({ step }) => step === "numbers");
    const taken = channels.find(({ step }) => step === "count")?.metrics.objectsIn ?? 0;
    execution.cancel();
    await failure(() => execution.outputs, "ABORTED");
    assert.ok(taken > 0 && rowsRead - taken <= 2 * (10_000 + 2 * 4096), `${rowsRead} read, ${taken} taken`);
    assert.ok(
      read.every(({ metrics }) => metrics.creditWaitMs > 0),
      "time without credit is counted",
    );
    assert.is(bytesSpooled, 0);
  });
}

test("a slot that is busy for seconds isn't taken for a deadlock", async () => {
  const on = await places[1]?.session();
  assert.is((await patient.run({}, on === undefined ? {} : { on })).out.length, 10);
});

test.after(async () => {
  for (const place of places) await place.close();
});
test.run();
