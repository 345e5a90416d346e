// specs: waits
// specs: timeout 120 s
// An execution that is gone on with gets other channels: the results stay the same, wherever it was stopped.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Table, tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { openStore } from "../../../actors/stores/open-store.ts";
import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { launchSlots, type LaunchHooks } from "../../../lib/flow/launch-slots.ts";
import { Session } from "../../../lib/flow/session.ts";
import {
  count,
  defineFlow,
  distinct,
  hash,
  limit,
  max,
  partialLimit,
  QStreamError,
  run,
  sum,
  type ExecutionEvent,
  type Flow,
  type Operator,
  type Reader,
  type Run,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("rescale");
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-rescale-"));
const store = `lmdb:${folder}`;
const limits = { parcelObjects: 8, inputObjects: 64, lingerMs: 1 };

test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Called for each number that is read; a flow is stopped from there. */
let tick = (): void => {};

/** Numbers in splits of fifty, in runs of seven: each split can be gone on with in its middle. */
function counted(upTo: number, marks: boolean): Reader<number, number> {
  return {
    kind: "counted",
    options: { upTo, marks },
    splits: () => Array.from({ length: Math.ceil(upTo / 50) }, (_, at) => at * 50),
    async *read(first, _ctx, from): AsyncGenerator<Run<number>> {
      const begin = typeof from?.after === "number" ? from.after : first;
      for (let at = begin; at < Math.min(upTo, first + 50); at += 7) {
        const objects = Array.from({ length: Math.min(7, upTo - at, first + 50 - at) }, (_, index) => at + index);
        for (const _number of objects) tick();
        await Promise.resolve();
        yield marks ? run(objects, at + objects.length) : run(objects);
      }
    },
  };
}

const keyed = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("read", counted(upTo, false));
  const sums = all.reduceByKey(
    "sums",
    (n) => n % 37,
    () => 0,
    (total, n) => total + n,
    { merge: (a, b) => a + b },
  );
  const kinds = all.map("kind", (n) => n % 101).distinct("distinct");
  const groups = all
    .map("pair", (n) => ({ key: n % 23, n }))
    .aggregate("groups", { by: "key", aggregates: { rows: count(), most: max("n"), total: sum("n") } });
  return { sums: sums.collect(), kinds: kinds.collect(), groups: groups.collect(), all: all.collect() };
});

const staged = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("read", counted(upTo, true));
  const first = all.foldByKey(
    "running",
    (n) => n % 29,
    () => 0,
    (seen) => seen + 1,
    { emit: "updates" },
  );
  const second = first.reduceByKey(
    "most",
    ({ key }) => key % 7,
    () => 0,
    (most, { value }) => Math.max(most, value),
  );
  return { second: second.collect() };
});

const joined = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const left = q.read("left", counted(upTo, true)).map("as left", (n) => ({ key: n % 40, n }));
  const right = q.read("right", counted(80, false)).map("as right", (n) => ({ key: n % 50, right: n }));
  const options = { left: "key", right: "key" } as const;
  return {
    joined: left.join("hash", right, options).collect(),
    streamed: left.streamingJoin("stream", right, options).collect(),
  };
});

/** The same numbers as batches of a key and a number. */
function tables(upTo: number): Reader<Table, number> {
  const reader = counted(upTo, false);
  return {
    ...reader,
    kind: "tables",
    async *read(first, ctx): AsyncGenerator<Table> {
      for await (const { objects } of reader.read(first, ctx) as AsyncIterable<Run<number>>) {
        yield tableFromArrays({ key: Int32Array.from(objects, (n) => n % 17), n: Float64Array.from(objects) });
      }
    },
  };
}

const batches = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const rows = q.read("read", tables(upTo));
  return {
    groups: rows
      .aggregate("groups", { by: "key" as never, aggregates: { rows: count(), total: sum("n" as never) } })
      .collect(),
    kinds: rows
      .distinct("distinct", "key" as never)
      .count("kinds")
      .collect(),
    rows: rows.collect(),
  };
});

/** Results without their order. */
function sorted(outputs: unknown): Record<string, readonly string[]> {
  const entries = Object.entries(outputs as Record<string, readonly unknown[]>);
  const texts = (rows: readonly unknown[]): string[] =>
    rows.flatMap((row) => (row instanceof Table ? row.toArray().map(String) : JSON.stringify(row)));
  return Object.fromEntries(entries.map(([name, rows]) => [name, texts(rows).toSorted()]));
}

interface AnyFlow {
  readonly start: Flow<{ upTo: number }, Record<string, unknown>>["start"];
  readonly resume: Flow<{ upTo: number }, Record<string, unknown>>["resume"];
}

/** Runs a flow with a slot count after the other; each run but the last is stopped after so many numbers. */
async function interrupted(
  flow: AnyFlow,
  upTo: number,
  turns: readonly { readonly slots: number; readonly after: number }[],
): Promise<{ readonly outputs: unknown; readonly ids: readonly string[] }> {
  const ids: string[] = [];
  for (const { slots, after } of turns) {
    const abort = new AbortController();
    let left = after;
    tick = () => {
      if (--left === 0) abort.abort();
    };
    const options: RunOptions = { isolation: "none", slots, store, checkpointEveryMs: 2, signal: abort.signal };
    const before = ids.at(-1);
    try {
      const execution =
        before === undefined
          ? await flow.start({ upTo }, { ...options, limits })
          : await flow.resume(before, { ...options, rescale: true });
      ids.push(execution.id);
      return { outputs: await execution.outputs, ids };
    } catch (error) {
      if (!(error instanceof QStreamError && error.code === "ABORTED")) throw error;
    }
  }
  throw new Error("it never came to its end");
}

const flows = { keyed, staged, joined, batches } as unknown as Readonly<Record<string, AnyFlow>>;

for (const [name, flow] of Object.entries(flows)) {
  test(`${name}: the same results with more channels and with fewer, wherever it was stopped`, async () => {
    const upTo = 260;
    const { outputs } = await interrupted(flow, upTo, [{ slots: 2, after: Infinity }]);
    const expected = sorted(outputs);
    const changes = [
      [1, 3],
      [4, 2, 1],
    ];
    for (const [at, slots] of changes.entries()) {
      const turns = slots.map((count, turn) => ({
        slots: count,
        after: turn === slots.length - 1 ? Infinity : 40 + ((at * 131 + turn * 59) % 110),
      }));
      // oxlint-disable-next-line no-await-in-loop -- they share the count of numbers
      const changed = await interrupted(flow, upTo, turns);
      assert.equal(sorted(changed.outputs), expected, `${name}: ${JSON.stringify(turns)}`);
      assert.is(new Set(changed.ids).size, changed.ids.length, "each change makes another execution");
    }
    const kept = await openStore(store);
    assert.equal(await kept.list(), [], "nothing is left in the store");
    await kept.close();
  });
}

const ending = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("read", counted(upTo, true));
  const few = all.apply("few", partialLimit(30)).apply("ten", limit(30));
  const low = all.filter("low", (n) => n < 60).sort("sort", (n) => n, { channels: 1 });
  return { few: few.count("count").collect(), low: low.collect(), pairs: low.zip("zip", few).count("pairs").collect() };
});

test("steps that want no more, sort, or take two streams in step keep what they were at", async () => {
  for (const turns of [
    [90, Infinity],
    [150, 60, Infinity],
  ]) {
    const [slots, others] = [
      [2, 3, 1],
      [4, 1, 3],
    ];
    for (const counts of turns.length === 2 ? [slots] : [others]) {
      const runs = turns.map((after, at) => ({ slots: counts?.[at] ?? 1, after }));
      // oxlint-disable-next-line no-await-in-loop -- they share the count of numbers
      const { outputs } = await interrupted(ending as unknown as AnyFlow, 260, runs);
      const { few, low, pairs } = outputs as { few: number[]; low: number[]; pairs: number[] };
      assert.equal([few, pairs], [[30], [30]]);
      assert.equal(
        low,
        Array.from({ length: 60 }, (_, at) => at),
      );
    }
  }
});

const chosen = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  all: q
    .read("read", counted(upTo, false))
    .partition(hash((n) => n % 11))
    .apply("keeps", () => new Keeping())
    .partition(hash((n) => n % 5))
    .apply("by another key", distinct({ key: (n: number) => n % 7 }))
    .count("count")
    .collect(),
}));

/** Passes on what comes; its state can be saved, and nobody can deal it. */
class Keeping implements Operator<{ in: number }, number, number> {
  #seen = 0;
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    this.#seen += objects.length;
    return objects;
  }
  snapshot(): number {
    return this.#seen;
  }
  restore(seen: number): void {
    this.#seen = seen;
  }
}

/** Starts a flow, and stops it after so many numbers. */
async function stopped(flow: AnyFlow, after: number): Promise<string> {
  const abort = new AbortController();
  let left = after;
  tick = () => {
    if (--left === 0) abort.abort();
  };
  const options: RunOptions = { isolation: "none", slots: 2, store, limits, signal: abort.signal };
  const execution = await flow.start({ upTo: 200 }, options);
  await execution.outputs.catch(() => {});
  tick = () => {};
  return execution.id;
}

test("steps whose channels can't change are refused by name, and otherwise keep them", async () => {
  const flow = chosen as unknown as AnyFlow;
  const id = await stopped(flow, 60);
  const again = async (rescale: Readonly<Record<string, number>>): Promise<unknown> =>
    flow.resume(id, { isolation: "none", slots: 3, store, rescale });
  const errors = [
    [{ keeps: 3 }, "UNSUPPORTED", /channels of "keeps" can't change: Keeping can't deal its state/u],
    [{ all: 2 }, "UNSUPPORTED", /a sink goes on with what its channels have written/u],
    [{ nothing: 2 }, "OPTION_INVALID", /has no step "nothing"/u],
    [{ read: 0 }, "OPTION_INVALID", /0 channels of "read"/u],
  ] as const;
  for (const [rescale, code, message] of errors) {
    // oxlint-disable-next-line no-await-in-loop -- one execution
    const error = await failure(() => again(rescale), code);
    assert.match(error.message, message);
  }
  const seen: string[] = [];
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "placed") seen.push(...event.placement.map(({ step }) => step));
  };
  const execution = await flow.resume(id, { isolation: "none", slots: 3, store, rescale: true, onEvent });
  // Each channel of the step that came by another key has seen all keys.
  assert.equal(await execution.outputs, { all: [14] });
  const channels = (step: string): number => seen.filter((placed) => placed === step).length;
  assert.equal([channels("read"), channels("keeps"), channels("by another key")], [3, 2, 2]);
});

test("a step gets the channels that it is named with, and the others keep theirs", async () => {
  const flow = keyed as unknown as AnyFlow;
  const id = await stopped(flow, 60);
  const seen: string[] = [];
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "placed") seen.push(...event.placement.map(({ step }) => step));
  };
  const options = { isolation: "none", slots: 1, store, onEvent } as const;
  const execution = await flow.resume(id, { ...options, rescale: { distinct: 5 } });
  await execution.outputs;
  const channels = (step: string): number => seen.filter((placed) => placed === step).length;
  assert.equal([channels("distinct"), channels("groups"), channels("read")], [5, 2, 2]);
});

/** What a reader waits for in the middle of its only split. */
let held = Promise.resolve();

/** Numbers in one split, of which those from 60 on come when nothing holds them. */
const long: Reader<number, number> = {
  kind: "long",
  options: {},
  splits: () => [0],
  async *read(_split, _ctx, from): AsyncGenerator<Run<number>> {
    for (let n = typeof from?.after === "number" ? from.after : 0; n < 200; n++) {
      if (n === 60) await held;
      tick();
      yield run([n], n + 1);
    }
  },
};

const waiting = defineFlow(import.meta.url, (q) => ({
  sums: q
    .read("read", long)
    .reduceByKey(
      "sums",
      (n) => n % 7,
      () => 0,
      (total, n) => total + n,
    )
    .collect(),
}));

test("a split that was begun is left where it was, and read on by the channels to come", async () => {
  let release = (): void => {};
  held = new Promise((resolve) => (release = resolve));
  const id = await stopped(waiting as unknown as AnyFlow, 50);
  const execution = await waiting.resume(id, { isolation: "none", slots: 3, store, rescale: { sums: 3 } });
  assert.is(execution.id, `${id}-r1`);
  release();
  const { sums } = await execution.outputs;
  const total = sums.reduce((before, { value }) => before + value, 0);
  assert.is(total, (199 * 200) / 2);
});

/** The channels of an execution are changed by a process that ends when all is written, and the old execution isn't dropped. */
async function halfChanged(flow: AnyFlow): Promise<string> {
  const id = await stopped(flow, 90);
  const options = { isolation: "none", slots: 3, store } as const;
  const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {}, onProcessLost: () => {} };
  let ended = false;
  const failing: LineageStore = new Proxy(await openStore(store), {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== "drop") return typeof value === "function" ? value.bind(target) : value;
      return async (of: string) => {
        ended ||= of === id;
        return ended ? Promise.reject(new Error("killed")) : target.drop(of);
      };
    },
  });
  const session = new Session(options, await launchSlots(options, hooks), hooks, { store: failing });
  const killed: unknown = await flow.resume(id, { on: session, rescale: true }).catch((thrown: unknown) => thrown);
  assert.match(String(killed), /killed/u);
  await session.close();
  return id;
}

test("an execution that was to go on from another one is refused while that is there, which can be gone on with", async () => {
  const flow = keyed as unknown as AnyFlow;
  const id = await halfChanged(flow);
  const options = { isolation: "none", slots: 3, store } as const;
  const error = await failure(() => flow.resume(`${id}-r1`, options), "NOT_RECOVERABLE");
  assert.match(error.message, new RegExp(`go on with ${id}`, "u"));
  const execution = await flow.resume(id, { ...options, rescale: true });
  const { outputs } = await interrupted(flow, 200, [{ slots: 1, after: Infinity }]);
  assert.equal(sorted(await execution.outputs), sorted(outputs));
  assert.is(execution.id, `${id}-r1`);
});

test("what a change that came half way has left goes with whoever goes on without one", async () => {
  const options = { isolation: "none", slots: 3, store } as const;
  const id = await halfChanged(keyed as unknown as AnyFlow);
  await keyed.resume(id, options).then(({ outputs }) => outputs);
  await failure(() => keyed.resume(`${id}-r1`, options), "EXECUTION_UNKNOWN");
});

test.run();
