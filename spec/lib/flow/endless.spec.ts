// A step that can't save its state must not follow an endless stream, unless nothing is logged: that is said before it runs.
import * as assert from "uvu/assert";
import {
  defineFlow,
  local,
  reader,
  type Flow,
  type FlowBuilder,
  type Operator,
  type QStream,
  type Task,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("endless streams");

/** Sums without a way to save them. */
class Forgetful implements Operator<{ in: number }, number> {
  #sum = 0;
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    for (const n of objects) this.#sum += n;
    return [this.#sum];
  }
}

/** The same, saved. */
class Mindful extends Forgetful {
  snapshot(): null {
    return null;
  }
  restore(): void {}
}

const ticks = (endless: boolean) =>
  reader({ kind: "ticks", options: { endless }, endless, splits: () => [0], read: () => [1, 2, 3] });

const ticking = (q: FlowBuilder, endless: boolean): QStream<number> => q.read("ticks", ticks(endless), { channels: 1 });

const forgetful = defineFlow(import.meta.url, (q) => ({
  sums: ticking(q, true)
    .map("same", (n) => n)
    .apply("forgetful", () => new Forgetful())
    .collect(),
}));

const behind = defineFlow(import.meta.url, (q) => ({
  sums: ticking(q, true)
    .apply("mindful", () => new Mindful())
    .apply("forgetful", () => new Forgetful())
    .collect(),
}));

const mindful = defineFlow(import.meta.url, (q) => ({
  sums: ticking(q, true)
    .apply("mindful", () => new Mindful())
    .limit("some", 1)
    .collect(),
}));

/** What is collected holds the whole stream. */
const collected = defineFlow(import.meta.url, (q) => ({ all: ticking(q, true).collect() }));
const kept = defineFlow(import.meta.url, (q) => ({
  all: ticking(q, true)
    .map("same", (n) => n)
    .dataset(),
}));
const zipped = defineFlow(import.meta.url, (q) => ({
  pairs: ticking(q, true)
    .zip("pairs", q.read("few", ticks(false), { channels: 1 }))
    .collect(),
}));

const ending = defineFlow(import.meta.url, (q) => ({
  sums: ticking(q, false)
    .apply("forgetful", () => new Forgetful())
    .collect(),
}));

type AnyFlow = Flow<object, Record<string, unknown>>;

if (!inSlot) {
  const before = process.env["QSTREAM_STORE"];
  test.before(() => void (process.env["QSTREAM_STORE"] = "memory"));
  test.after(() => {
    if (before === undefined) delete process.env["QSTREAM_STORE"];
    else process.env["QSTREAM_STORE"] = before;
  });

  for (const [name, flow] of [
    ["forgetful", forgetful],
    ["forgetful behind one that isn't", behind],
  ] as const) {
    const place = { step: "forgetful" };
    test(`${name}: refused when the flow is built, with the step, why, and what to do`, async () => {
      const error = await failure(() => flow.explain(), "NOT_RECOVERABLE", place);
      assert.match(error.message, '"forgetful" reads an endless stream and can\'t save its state');
      assert.match(error.message, "whose log would grow for ever");
      assert.match(error.message, /snapshot\(\) and restore\(\)/);
      assert.match(error.message, 'store: "none"');
      for (const as of ["mermaid", "dot"] as const)
        await failure(() => flow.explain({}, { as }), "NOT_RECOVERABLE", place);
    });

    test(`${name}: refused before slots are started for it`, async () => {
      const started = performance.now();
      await failure(() => (flow as AnyFlow).start({}, { slots: 64 }), "NOT_RECOVERABLE", place);
      assert.ok(performance.now() - started < 1000, "64 threads were started");
    });
  }

  for (const [name, flow] of [
    ["collect", collected],
    ["a dataset", kept],
  ] as const) {
    test(`${name} behind an endless stream is refused, with what to do instead`, async () => {
      const error = await failure(() => flow.explain(), "NOT_RECOVERABLE", { step: "all" });
      assert.match(error.message, "forEach");
      assert.match(error.message, "endsEarly");
    });
  }

  test("a zip ends with the shorter of its streams", async () => {
    const { pairs } = await zipped.run({}, { slots: 1, store: "memory" });
    assert.is(pairs.length, 3);
  });

  test("a session with a store refuses it, and goes on", async () => {
    await using session = await local({ slots: 1, store: "memory" });
    await failure(() => forgetful.run({}, { on: session }), "NOT_RECOVERABLE", { step: "forgetful" });
    assert.is((await mindful.run({}, { on: session })).sums.length, 1);
  });

  test("without a store it is taken: nothing is made again", async () => {
    assert.match(forgetful.explain({}, { store: "none" }), "forgetful");
    assert.is((await forgetful.run({}, { slots: 1, store: "none" })).sums.at(-1), 6);
  });

  test("of streams that end, and of steps that save their state, nothing is refused", () => {
    assert.match(ending.explain(), "forgetful");
    assert.match(mindful.explain(), "mindful");
  });
}

test.run();
