import * as assert from "uvu/assert";
import {
  defineFlow,
  iterable,
  local,
  numbers,
  QStreamError,
  type ExecutionEvent,
  type Operator,
  type Task,
  type TaskFailed,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("tasks that fail");

let failuresLeft = 0;

/** Adds up, and fails as often as it is told to when it sees an object. */
class Fussy implements Operator<{ in: number }, number, { sum: number }> {
  #sum = 0;
  readonly #at: number;
  constructor(at: number) {
    this.#at = at;
  }
  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) {
      if (value === this.#at && failuresLeft > 0) {
        failuresLeft--;
        throw new Error(`no ${value} please`);
      }
      this.#sum += value;
    }
  }
  done(): number[] {
    return [this.#sum];
  }
  snapshot(): { sum: number } {
    return { sum: this.#sum };
  }
  restore({ sum }: { sum: number }): void {
    this.#sum = sum;
  }
}

const sumFlow = defineFlow(import.meta.url, (q, { at }: { at: number }) => ({
  sum: q
    .read("numbers", numbers(0, 5000))
    .apply("fussy", () => new Fussy(at), { channels: 1 })
    .collect(),
}));

const longFlow = defineFlow(import.meta.url, (q, { at, upTo }: { at: number; upTo: number }) => ({
  sum: q
    .read("numbers", numbers(0, upTo))
    .apply("fussy", () => new Fussy(at), { channels: 1 })
    .collect(),
}));

const skippingFlow = defineFlow(import.meta.url, (q) => {
  const sums = q
    .read(
      "numbers",
      iterable(() => Array.from({ length: 100 }, (_, index) => index)),
    )
    .apply("fussy", () => new Fussy(50), { channels: 1, onFailure: "skip" });
  return { sum: sums.collect(), failed: sums.failed.collect() };
});

const options = { isolation: "none", slots: 2, store: "memory", checkpointEveryMs: 1 } as const;
const limits = { parcelObjects: 10 };
const total = (5000 * 4999) / 2;

test("a task that fails once is run again, and the result is the same", async () => {
  failuresLeft = 2;
  const events: string[] = [];
  const { sum } = await sumFlow.run(
    { at: 2345 },
    { ...options, limits, onEvent: (event) => void (event.kind === "progress" || events.push(event.kind)) },
  );
  assert.equal(sum, [total]);
  assert.is(failuresLeft, 0);
  assert.equal(
    events.filter((kind) => kind === "recovered"),
    ["recovered", "recovered"],
  );
});

test("each failure is told, with its place, its number and the error", async () => {
  failuresLeft = 2;
  const { told, onEvent } = listener();
  await sumFlow.run({ at: 4 }, { ...options, limits: { parcelObjects: 1 }, onEvent });
  assert.equal(
    told.map(({ step, channel, attempts, next }) => ({ step, channel, attempts, next })),
    [1, 2].map(() => ({ step: "fussy", channel: 0, attempts: 3, next: "try-again" })),
  );
  assert.is(told[0]?.attempt, 1);
  // The first may have been a task of several parcels: that of the one that is wrong fails for its first time then.
  assert.ok(told[1]?.attempt === 2 || told[1]?.attempt === 1);
  for (const { seq, error } of told) {
    assert.ok(error instanceof QStreamError && error.code === "STEP_FAILED", String(error));
    assert.is(error.place.seq, seq);
    assert.match(error.message, /^no 4 please/u);
  }
});

test("one that fails again and again fails the execution, and the poison input is named", async () => {
  failuresLeft = 1000;
  const { told, onEvent } = listener();
  const run = (): Promise<unknown> => sumFlow.run({ at: 2345 }, { ...options, limits, attempts: 4, onEvent });
  const error = await failure(run, "STEP_FAILED", { step: "fussy", input: "in" });
  assert.match(error.message, /^tried 4 times: no 2345 please/u);
  // Its parcels are tried one by one before that.
  assert.match(error.message, /, input "in": parcel \d+ of channel \d of "numbers" with 10 objects\)/u);
  assert.match(error.stack ?? "", /tried 4 times: no 2345 please.*\n +at /u);
  assert.is((error.cause as Error).message, "no 2345 please");
  assert.is(told.at(-1)?.attempt, 3);
  // Once in a task of several parcels, and then with the one that it was.
  assert.ok(failuresLeft === 996 || failuresLeft === 995, `${1000 - failuresLeft} tries`);
});

test("without a store, the first failure is the last", async () => {
  failuresLeft = 1;
  const { told, onEvent } = listener();
  const run = (): Promise<unknown> => sumFlow.run({ at: 10 }, { ...options, store: "none", limits, onEvent });
  const error = await failure(run, "STEP_FAILED");
  assert.match(error.message, /^no 10 please/u);
  assert.equal(told, []);
});

test("a step may pass over what it fails on: it goes aside with its error, and the rest goes on", async () => {
  failuresLeft = 1000;
  const { told, onEvent } = listener();
  const execution = await skippingFlow.start({}, { ...options, limits: { parcelObjects: 1 }, onEvent });
  const { sum, failed } = await execution.outputs;
  assert.equal(sum, [(100 * 99) / 2 - 50]);
  assert.is(failed.length, 1);
  assert.is(failed[0]?.object, 50);
  assert.is(failed[0]?.input, "in");
  assert.match(failed[0]?.error ?? "", /^no 50 please/u);
  const tries = told.map(({ attempt, next }) => `${attempt} ${next}`);
  assert.equal(tries.slice(-3), ["1 try-again", "2 try-again", "3 pass-over"]);
  // Once in a task of several parcels, and then with the one that it was.
  assert.ok(tries.length === 3 || (tries.length === 4 && tries[0] === "1 try-again"), tries.join(", "));
  const step = execution.metrics?.steps.find((each) => each.step === "fussy");
  assert.equal(step?.metrics.counters, { "passed over": 1 });
});

/** Fails always on the first object of one input, and once on that of the other. */
class FussyOfTwo implements Operator<{ left: number; right: number }, number> {
  execute({ input, objects }: Task<{ left: number; right: number }>): readonly number[] {
    if (objects.includes(0)) throw new Error(`no ${input} please`);
    if (objects.includes(1000) && failuresLeft > 0) {
      failuresLeft--;
      throw new Error("once");
    }
    return objects;
  }
  snapshot(): null {
    return null;
  }
  restore(): void {}
}

test("failures of one input aren't held against the parcels of another, nor against other tasks", async () => {
  failuresLeft = 1;
  const flow = defineFlow(import.meta.url, (q) => {
    const left = q.read("left", numbers(0, 300), { channels: 1 });
    const right = q.read("right", numbers(1000, 1300), { channels: 1 });
    const both = q.apply("both", { left, right }, () => new FussyOfTwo(), { channels: 1, onFailure: "skip" });
    return { rows: both.collect(), failed: both.failed.collect() };
  });
  const { told, onEvent } = listener();
  const { rows, failed } = await flow.run({}, { ...options, limits: { parcelObjects: 100 }, onEvent });
  assert.equal(
    failed.map(({ input, object }) => `${input} ${String(object)}`).toSorted(),
    Array.from({ length: 100 }, (_, object) => `left ${object}`).toSorted(),
  );
  assert.is(rows.length, 500);
  assert.is(failuresLeft, 0);
  const passedOver = told.filter(({ next }) => next === "pass-over");
  assert.equal(
    passedOver.map(({ error }) => /^no \w+ please/u.exec(error.message)?.[0]),
    ["no left please"],
  );
  // It failed once more where it was first in a task of several parcels.
  assert.ok([3, 4].includes(passedOver[0]?.attempt ?? 0), `attempt ${passedOver[0]?.attempt}`);
});

test("failed is there only where a step passes over, and onFailure is one of two", () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    failed: q
      .read("numbers", numbers(0, 3))
      .apply("fussy", () => new Fussy(1))
      .failed.collect(),
  }));
  assert.throws(() => flow.explain({}), /passes nothing over/u);
  const wrong = defineFlow(import.meta.url, (q) => ({
    out: q
      .read("numbers", numbers(0, 3))
      .apply("fussy", () => new Fussy(1), { onFailure: "ignore" as "skip" })
      .collect(),
  }));
  assert.throws(() => wrong.explain({}), /neither "fail" nor "skip"/u);
});

test("a sink's failing task is run again as well", async () => {
  let failing = true;
  const seen: number[] = [];
  const flow = defineFlow(import.meta.url, (q) => ({
    out: q.read("numbers", numbers(0, 100)).forEach((value) => {
      if (value === 70 && failing) {
        failing = false;
        throw new Error("once");
      }
      seen.push(value);
    }),
  }));
  await using session = await local(options);
  await flow.run({}, { on: session, limits });
  assert.is(new Set(seen).size, 100);
});

test("what users see of a step that fails counts up, and in the end is what it took", async () => {
  const [at, upTo] = [150_000, 200_000];
  failuresLeft = 2;
  const seen: number[] = [];
  let recovered = 0;
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "recovered") recovered++;
    if ("metrics" in event) seen.push(event.metrics.steps[1]?.metrics.objectsIn ?? Number.NaN);
  };
  const execution = await longFlow.start({ at, upTo }, { ...options, onEvent });
  assert.equal(await execution.outputs, { sum: [(upTo * (upTo - 1)) / 2] });
  assert.ok(recovered > 0);
  assert.equal(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  assert.is(execution.metrics?.rowsRead, upTo);
  assert.equal(
    execution.metrics?.steps.map(({ metrics }) => [metrics.objectsIn, metrics.objectsOut]),
    [
      [0, upTo],
      [upTo, 1],
      [1, 0],
    ],
  );
});

test.run();

/** Keeps what is told of failed tasks. */
function listener(): { readonly told: TaskFailed[]; readonly onEvent: (event: ExecutionEvent) => void } {
  const told: TaskFailed[] = [];
  return { told, onEvent: (event) => void (event.kind === "task-failed" && told.push(event)) };
}
