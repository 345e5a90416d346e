import * as assert from "uvu/assert";
import { defineFlow, iterable, local, numbers, type Operator, type Task } from "../../../lib/index.ts";
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

test("one that fails again and again fails the execution, and the poison input is named", async () => {
  failuresLeft = 1000;
  const error = await failure(() => sumFlow.run({ at: 2345 }, { ...options, limits, attempts: 4 }), "STEP_FAILED", {
    step: "fussy",
    input: "in",
  });
  assert.match(error.message, /no 2345 please/u);
  // Once in a task of several parcels, and then with the one that it was.
  assert.ok(failuresLeft === 996 || failuresLeft === 995, `${1000 - failuresLeft} tries`);
});

test("without a store, the first failure is the last", async () => {
  failuresLeft = 1;
  const error = await failure(() => sumFlow.run({ at: 10 }, { ...options, store: "none", limits }), "STEP_FAILED");
  assert.match(error.message, /no 10 please/u);
});

test("a step may pass over what it fails on: it goes aside with its error, and the rest goes on", async () => {
  failuresLeft = 1000;
  const { sum, failed } = await skippingFlow.run({}, { ...options, limits: { parcelObjects: 1 } });
  assert.equal(sum, [(100 * 99) / 2 - 50]);
  assert.is(failed.length, 1);
  assert.is(failed[0]?.object, 50);
  assert.is(failed[0]?.input, "in");
  assert.match(failed[0]?.error ?? "", /no 50 please/u);
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

test.run();
