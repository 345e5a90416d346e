// specs: timeout 120 s
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  broadcast,
  defineFlow,
  hash,
  type Context,
  type Operator,
  type OutputSink,
  type Task,
} from "../../../lib/index.ts";
import { topologies, topology } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { reader } from "../../../readers/reader.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("early stop, failure and cancel");
const places = topologies();

/** Passes on so many objects and then wants no more. */
class Limit implements Operator<{ in: number }, number> {
  #left: number;
  constructor(count: number) {
    this.#left = count;
  }
  execute({ objects }: Task<{ in: number }>, ctx: Context): readonly number[] {
    const taken = objects.slice(0, this.#left);
    this.#left -= taken.length;
    if (this.#left === 0) ctx.stop();
    return taken;
  }
  snapshot(): number {
    return this.#left;
  }
  restore(left: number): void {
    this.#left = left;
  }
}

const endless = reader({
  endless: true,
  splits: ({ channels }) => Array.from({ length: channels }, (_, index) => index),
  *read(split) {
    for (let n = 0; ; n++) yield split + n;
  },
});

/** Gives three numbers and then waits for more, which never come. */
const silent = reader({
  endless: true,
  splits: () => [0],
  async *read() {
    yield* [1, 2, 3];
    await new Promise(() => {});
  },
});

const limited = defineFlow(import.meta.url, (q) => ({
  first: q
    .read("endless", endless)
    .apply("limit", () => new Limit(100), { channels: 1, endsEarly: true })
    .to(collect()),
}));

const limitedSilence = defineFlow(import.meta.url, (q) => ({
  first: q
    .read("silent", silent)
    .apply("limit", () => new Limit(3), { channels: 1, endsEarly: true })
    .to(collect()),
}));

const oneByOne = defineFlow(import.meta.url, (q) => {
  const source = q.read("numbers", numbers(0, 300_000), { channels: 1 });
  return {
    few: source.apply("few", () => new Limit(10), { channels: 1 }).to(collect()),
    more: source.apply("more", () => new Limit(200_000), { channels: 1 }).to(collect()),
  };
});

class Broken implements Operator<{ in: number; other: number }, number> {
  readonly #where: string;
  #tasks = 0;
  constructor(where: string) {
    this.#where = where;
  }
  open(): void {
    this.#fail("open");
  }
  execute({ objects }: Task<{ in: number; other: number }>): readonly number[] {
    this.#tasks++;
    if (this.#where === "execute" && this.#tasks > 1) throw new Error("a task ran after one that threw");
    this.#fail("execute");
    return objects;
  }
  inputDone(): void {
    this.#fail("inputDone");
  }
  // oxlint-disable-next-line typescript/require-await -- throws as asynchronous code does
  async done(): Promise<void> {
    this.#fail("done");
  }
  #fail(where: string): void {
    if (this.#where === where) throw new RangeError(`broken in ${where}`);
  }
}

const broken = defineFlow(import.meta.url, (q, args: { where: string }) => {
  const source = q.read("numbers", numbers(0, 5000), { channels: 1 });
  const sums = q.apply("sums", { in: source, other: source.partition(broadcast()) }, () => new Broken(args.where), {
    channels: 2,
  });
  return { sums: sums.to(collect()) };
});

const brokenFunctions = defineFlow(import.meta.url, (q, args: { where: string }) => {
  const explode = (where: string, n: number): number => {
    if (args.where === where && n === 3000) throw new TypeError(`no ${n}`);
    return n;
  };
  const source = q.read("numbers", numbers(0, 5000), { channels: 1 }).map("before", (n) => explode("before", n));
  const behind = source.partition(hash((n) => explode("key", n))).map("behind", (n) => explode("behind", n));
  return { all: behind.apply("limit", () => new Limit(Infinity), { channels: 2 }).to(collect()) };
});

const brokenReader = defineFlow(import.meta.url, (q, args: { where: string }) => ({
  all: q
    .read(
      "source",
      reader({
        splits: (): readonly unknown[] => {
          if (args.where === "splits") throw new Error("no splits");
          return args.where === "split" ? [() => 1] : [1, 2, 3];
        },
        *read(split) {
          yield 1;
          if (args.where === "read" && split === 2) throw new Error("can't read 2");
        },
      }),
    )
    .to(collect()),
}));

function brokenSink(where: string): OutputSink<number, string> {
  const fail = (at: string): void => {
    if (at === where) throw new Error(`no ${at}`);
  };
  return {
    kind: "broken",
    guarantee: "idempotent",
    placement: "single",
    open: () => {
      fail("open");
      return {
        write: () => fail("write"),
        done: () => (where === "part" ? () => 1 : fail("done")),
        commit: () => fail("commit"),
      };
    },
    result: () => "fine",
  };
}

const sunk = defineFlow(import.meta.url, (q, args: { where: string }) => ({
  out: q.read("numbers", numbers(0, 100)).to(brokenSink(args.where)),
}));

/** Closes itself once, and says so by failing when it is closed twice. */
class ClosedOnce implements Operator<{ in: number }, number> {
  #closed = false;
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    return objects;
  }
  close(): void {
    if (this.#closed) process.exit(7);
    this.#closed = true;
  }
}

const closedOnce = defineFlow(import.meta.url, (q) => {
  const ended = q
    .read("few", numbers(0, 10))
    .apply("once", () => new ClosedOnce())
    .to(collect());
  const failing = q
    .read("numbers", numbers(0, 10))
    .apply("wait", () => ({
      async execute() {
        await wait(150);
        throw new Error("late failure");
      },
    }))
    .to(collect());
  return { ended, failing };
});

const sleepy = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("endless", endless)
    .apply("sleepy", () => ({
      snapshot: () => null,
      restore: () => {},
      async execute(_task: Task<{ in: number }>, ctx: Context) {
        await wait(60_000, undefined, { signal: ctx.signal }).catch(() => {});
      },
    }))
    .forEach(() => {}),
}));

const forever = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("endless", endless)
    .filter("none", () => false)
    .forEach(() => {}),
}));

const stuck = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 10), { channels: 1 })
    .apply(
      "stuck",
      () => ({
        execute() {
          for (;;);
        },
      }),
      { channels: 1 },
    )
    .to(collect()),
}));

for (const { name, session } of places) {
  test(`${name}: a limit ends an endless reader`, async () => {
    const started = performance.now();
    const execution = await limited.start({}, { on: await session() });
    const { first } = await execution.outputs;
    assert.is(first.length, 100);
    assert.ok(performance.now() - started < 5000, `${performance.now() - started} ms`);
    assert.ok((execution.metrics?.rowsRead ?? Infinity) < 1_000_000, `${execution.metrics?.rowsRead} rows read`);
  });

  test(`${name}: a limit ends a reader that waits for a source which never answers`, async () => {
    const { first } = await limitedSilence.run({}, { on: await session() });
    assert.equal(first, [1, 2, 3]);
  });

  test(`${name}: links are closed one by one: a consumer that stops leaves the others theirs`, async () => {
    const execution = await oneByOne.start({}, { on: await session() });
    const { few, more } = await execution.outputs;
    assert.is(few.length, 10);
    assert.is(more.length, 200_000);
    assert.ok((execution.metrics?.rowsRead ?? Infinity) < 300_000, "the reader stops when nobody is left");
  });

  for (const where of ["open", "execute", "inputDone", "done"]) {
    test(`${name}: an operator that fails in ${where} fails the execution, which says where`, async () => {
      const on = await session();
      const error = await failure(() => broken.run({ where }, { on }), "STEP_FAILED", { step: "sums" });
      assert.match(error.message, `broken in ${where}`);
      assert.match(error.message, /channel [01]/);
      assert.type(error.place.seq, "number");
      assert.ok(
        ["open", "done"].includes(where)
          ? error.place.input === undefined
          : ["in", "other"].includes(error.place.input ?? ""),
        String(error.place.input),
      );
      assert.is((error.cause as Error).name, "RangeError");
    });
  }

  for (const [where, step] of [
    ["before", "numbers"],
    ["key", "numbers"],
    ["behind", "limit"],
  ] as const) {
    test(`${name}: a function that throws (${where}) is named`, async () => {
      const on = await session();
      const error = await failure(() => brokenFunctions.run({ where }, { on }), "STEP_FAILED", { step });
      assert.match(error.message, "no 3000");
      if (where !== "key") assert.match(error.message, `map "${where}"`);
    });
  }

  test(`${name}: a reader that fails is named, in splits and in read`, async () => {
    const on = await session();
    await failure(() => brokenReader.run({ where: "splits" }, { on }), "STEP_FAILED", { step: "source" });
    await failure(() => brokenReader.run({ where: "read" }, { on }), "STEP_FAILED", { step: "source" });
    await failure(() => brokenReader.run({ where: "split" }, { on }), "CANNOT_TRAVEL", { step: "source" });
    assert.is((await brokenReader.run({ where: "nowhere" }, { on })).all.length, 3);
  });

  test(`${name}: a sink that fails is named, in each of its methods`, async () => {
    const on = await session();
    for (const where of ["open", "write", "done", "commit"]) {
      const error = await failure(() => sunk.run({ where }, { on }), "STEP_FAILED", { step: "out" });
      assert.match(error.message, `no ${where}`);
    }
    assert.equal(await sunk.run({ where: "nowhere" }, { on }), { out: "fine" });
  });

  test(`${name}: an operator is closed once, though the execution fails after it ended`, async () => {
    const on = await session();
    await failure(() => closedOnce.run({}, { on }), "STEP_FAILED", { step: "wait" });
    assert.is(on.lostSlots.size, 0);
  });

  test(`${name}: an abort stops within a second, also while user code waits or reads without end`, async () => {
    const on = await session();
    for (const flow of [sleepy, forever]) {
      const abort = new AbortController();
      const running = flow.run({}, { on, signal: abort.signal });
      running.catch(() => {});
      await wait(150);
      const aborted = performance.now();
      abort.abort(new Error("enough"));
      const error = await failure(() => running, "ABORTED");
      assert.match(error.message, "enough");
      assert.ok(performance.now() - aborted < 1000, `${performance.now() - aborted} ms`);
    }
    assert.is((await limited.run({}, { on })).first.length, 100, "the session goes on");
  });

  test(`${name}: a signal that aborts before or during the start stops too`, async () => {
    const on = await session();
    await failure(() => forever.run({}, { on, signal: AbortSignal.abort() }), "ABORTED");
    const abort = new AbortController();
    const running = forever.run({}, { on, signal: abort.signal });
    abort.abort();
    await failure(() => running, "ABORTED");
  });

  test(`${name}: cancel stops an execution and leaves another one alone`, async () => {
    const on = await session();
    const first = await forever.start({}, { on });
    const second = await oneByOne.start({}, { on });
    first.cancel("changed my mind");
    await failure(() => first.outputs, "ABORTED");
    assert.is((await second.outputs).few.length, 10);
  });
}

for (const isolation of ["thread", "process"] as const) {
  test(`${isolation}: a slot that user code keeps busy is given up after two seconds, and the others go on`, async () => {
    const place = topology("stuck", { slots: 2, isolation });
    const on = await place.session();
    const abort = new AbortController();
    const execution = await stuck.start({}, { on, signal: abort.signal });
    for await (const event of execution.events()) if (event.kind === "progress" && event.metrics.rowsRead === 10) break;
    await wait(100);
    const aborted = performance.now();
    abort.abort();
    await failure(() => execution.outputs, "ABORTED");
    const took = performance.now() - aborted;
    assert.ok(took > 1900 && took < 3000, `${took} ms`);
    assert.is(on.lostSlots.size, 1);
    assert.is((await limited.run({}, { on })).first.length, 100);
    const closing = performance.now();
    await place.close();
    assert.ok(performance.now() - closing < 1500, `closing took ${performance.now() - closing} ms`);
  });
}

test.after(async () => {
  for (const place of places) await place.close();
});
test.run();
