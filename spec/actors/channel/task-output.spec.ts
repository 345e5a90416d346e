import { setTimeout as wait } from "node:timers/promises";
import { tableFromArrays } from "apache-arrow";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { TaskOutput, type Chunk, type ChunkLimits } from "../../../actors/channel/task-output.ts";
import { run, Side } from "../../../lib/core/contracts/reader.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("task output");
const limitsOf = (objects: number, bytes = 1 << 20, lingerMs = 5): ChunkLimits => ({
  objects,
  bytes,
  lingerMs,
  clock: systemClock,
});

async function chunksOf(output: TaskOutput, limits: ChunkLimits): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (;;) {
    const chunk = await output.next(limits);
    chunks.push(chunk);
    if (chunk.last) return chunks;
  }
}

const objectsOf = (chunks: readonly Chunk[]): unknown[] => chunks.map(({ objects }) => objects);

test("an array that fits is passed on as it is, a longer one is cut", async () => {
  const array = [1, 2, 3, 4, 5];
  const whole = await chunksOf(new TaskOutput(array), limitsOf(10));
  assert.is(whole[0]?.objects, array);
  assert.equal(objectsOf(await chunksOf(new TaskOutput(array), limitsOf(2))), [[1, 2], [3, 4], [5]]);
  assert.equal(objectsOf(await chunksOf(new TaskOutput([]), limitsOf(2))), [[]]);
});

test("a generator is asked for no more than a chunk needs", async () => {
  let asked = 0;
  function* source(): Generator<number> {
    for (;;) yield asked++;
  }
  const output = new TaskOutput(source());
  const first = output.next(limitsOf(3));
  assert.not.instance(first, Promise, "synchronous sources need no promise");
  assert.equal((await first).objects, [0, 1, 2]);
  assert.is(asked, 3);
});

test("chunks are bounded in bytes, also where objects grow", async () => {
  const large = "x".repeat(10_000);
  const growing = [...Array.from({ length: 100 }, () => "small"), ...Array.from({ length: 200 }, () => large)];
  for (const source of [growing, growing.values()]) {
    const chunks = await chunksOf(new TaskOutput(source), limitsOf(1000, 100_000));
    assert.equal(
      chunks.flatMap(({ objects }) => objects),
      growing,
    );
    for (const { objects } of chunks) {
      const bytes = (objects as string[]).reduce((sum, text) => sum + text.length, 0);
      assert.ok(bytes <= 100_000 + 64 * 10_000, `${bytes} bytes in a chunk`);
    }
  }
});

test("runs, side outputs and batches: each batch is a chunk of its own", async () => {
  const table = tableFromArrays({ n: [1] });
  function* source(): Generator {
    yield 1;
    yield new Side("bad", "b1");
    yield run([2, 3, 4]);
    yield 5;
    yield table;
    yield run([table, table]);
    yield new Side("bad", "b2");
    yield 6;
  }
  const chunks = await chunksOf(new TaskOutput(source()), limitsOf(2));
  assert.equal(
    chunks.flatMap(({ objects, columnar }) => (columnar ? ["table"] : objects)),
    [1, 2, 3, 4, 5, "table", "table", "table", 6],
  );
  assert.ok(
    chunks.every(({ columnar, objects }) => columnar === (objects[0] === table) && (!columnar || objects.length === 1)),
  );
  assert.equal(
    chunks.flatMap(({ sides }) => sides?.get("bad") ?? []),
    ["b1", "b2"],
  );
});

test("an asynchronous source that pauses is sent what it gave after the linger", async () => {
  let go = (): void => {};
  async function* source(): AsyncGenerator<number> {
    yield* [1, 2];
    await new Promise<void>((resolve) => (go = resolve));
    yield 3;
  }
  const output = new TaskOutput(source());
  const first = await output.next(limitsOf(10));
  assert.equal([first.objects, first.last], [[1, 2], false]);
  const second = output.next(limitsOf(10));
  await wait(15);
  go();
  const last = await second;
  assert.equal([last.objects, last.last], [[3], true]);
});

test("an empty run names no place, since the source is asked on behind it", async () => {
  async function* source(): AsyncGenerator {
    yield run([1, 2], "behind 2");
    yield 3;
    yield run([], "behind 3");
    await new Promise(() => {});
  }
  const output = new TaskOutput(source());
  assert.equal((await output.next(limitsOf(2))).objects, [1, 2]);
  assert.equal(output.mark, { after: "behind 2" });
  assert.equal((await output.next(limitsOf(2))).objects, [3]);
  assert.is(output.mark, undefined);
  await output.close();
});

test("interrupt ends a wait for a source that doesn't answer, and close doesn't wait for it", async () => {
  async function* source(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  const output = new TaskOutput(source());
  assert.equal((await output.next(limitsOf(1))).objects, [1]);
  const waiting = output.next(limitsOf(1));
  await wait(5);
  output.interrupt();
  const chunk = await waiting;
  assert.equal([chunk.objects, chunk.last], [[], false]);
  await output.close();
});

test("close doesn't wait for a source that a replay waits for", async () => {
  async function* source(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  const output = new TaskOutput(source());
  assert.equal(await output.pull(), { value: 1 });
  void output.pull();
  await output.close();
});

test("close runs the finally of generators, once", async () => {
  let ended = 0;
  function* sync(): Generator<number> {
    try {
      for (;;) yield 1;
    } finally {
      ended++;
    }
  }
  async function* asynchronous(): AsyncGenerator<number> {
    yield* sync();
  }
  for (const source of [sync(), asynchronous()]) {
    const output = new TaskOutput(source);
    await output.next(limitsOf(3));
    await output.close();
    await output.close();
  }
  assert.is(ended, 2);
});

test("whatever is yielded, the chunks together are the source, in order and within the limit", async () => {
  const piece = fc.oneof(
    fc.record({ kind: fc.constant("one" as const), objects: fc.tuple(fc.integer()) }),
    fc.record({ kind: fc.constant("run" as const), objects: fc.array(fc.integer(), { maxLength: 12 }) }),
    fc.record({ kind: fc.constant("side" as const), objects: fc.tuple(fc.integer()) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (pieces, max, asynchronous) => {
        function* sync(): Generator {
          for (const { kind, objects } of pieces)
            yield kind === "one" ? objects[0] : kind === "run" ? run(objects) : new Side("side", objects[0]);
        }
        async function* later(): AsyncGenerator {
          yield* sync();
        }
        const chunks = await chunksOf(new TaskOutput(asynchronous ? later() : sync()), limitsOf(max));
        const main = pieces.flatMap(({ kind, objects }) => (kind === "side" ? [] : objects));
        const sides = pieces.flatMap(({ kind, objects }) => (kind === "side" ? objects : []));
        assert.equal(
          chunks.flatMap(({ objects }) => objects),
          main,
        );
        assert.equal(
          chunks.flatMap((chunk) => chunk.sides?.get("side") ?? []),
          sides,
        );
        assert.ok(
          chunks.every(({ objects, sides: own }) => objects.length <= max && (own?.get("side")?.length ?? 0) <= max),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test.run();
