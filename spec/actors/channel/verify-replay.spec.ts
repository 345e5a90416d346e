// Tasks that are run twice while all is well: whatever would make replay differ is found, and what wouldn't isn't.

import * as assert from "uvu/assert";
import {
  custom,
  defineFlow,
  hash,
  numbers,
  QStreamError,
  reader,
  type ExecutionEvent,
  type Operator,
  type RunOptions,
  type Task,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("verify replay");

// What the steps below may not depend on.
let global = 0;
let clock = 0;

type Fault =
  | "none"
  | "output"
  | "count"
  | "time"
  | "state"
  | "throw"
  | "damage"
  | "edge"
  | "behind"
  | "partition"
  | "stop"
  | "side";

/** Gives each number, with its sum so far; and does something that it may not do. */
class Sums implements Operator<{ in: number }, { n: number; sum: number }> {
  readonly #fault: Fault;
  readonly #now: () => number;
  #sum = 0;
  #seen = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
    // A clock that isn't the context's, taken into a closure.
    this.#now = () => clock++;
  }

  *execute({ objects }: Task<{ in: number }>, ctx: { stop: () => void }): Generator<{ n: number; sum: number }> {
    const fault = this.#fault;
    if (fault === "throw" && global++ === 3) throw new RangeError("only the second time");
    if (fault === "damage" && global++ === 3) throw new QStreamError("SPOOL_DAMAGED", "what it had on disk is another");
    if (fault === "stop" && global++ === 3) ctx.stop();
    if (fault === "state") this.#seen = global++;
    for (const n of objects) {
      this.#sum += n;
      if (fault === "count" && n === 150 && global++ === 0) continue;
      yield { n, sum: this.#sum + (fault === "output" && n === 150 ? global++ : fault === "time" ? this.#now() : 0) };
    }
  }

  snapshot(): { sum: number; seen: number } {
    return { sum: this.#sum, seen: this.#seen };
  }

  restore({ sum, seen }: { sum: number; seen: number }): void {
    this.#sum = sum;
    this.#seen = seen;
  }
}

const summed = defineFlow(import.meta.url, (q, { fault }: { fault: Fault }) => ({
  rows: q
    .read("numbers", numbers(0, 300), { channels: 1 })
    .partition(
      fault === "partition"
        ? custom((n: number, { channels }) => (n === 150 ? global++ : n) % channels)
        : hash((n: number) => n),
    )
    .map("behind", (n) => (fault === "behind" && n === 150 ? n + global++ : n))
    .apply("sums", () => new Sums(fault), { channels: 2 })
    .map("edge", (row) => (fault === "edge" && row.n === 150 ? { ...row, sum: global++ } : row))
    .collect(),
}));

const settings = { slots: 2, isolation: "none", verifyReplay: { share: 1 }, limits: { parcelObjects: 40 } } as const;

async function found(fault: Fault, options: RunOptions = {}): Promise<string> {
  global = 0;
  clock = 0;
  const error = await failure(() => summed.run({ fault }, { ...settings, ...options }), "NONDETERMINISTIC");
  assert.type(error.place.channel, "number", error.message);
  assert.type(error.place.seq, "number", error.message);
  return `${error.place.step}: ${error.message}`;
}

for (const [fault, said] of [
  [
    "output",
    /^sums: .*sent \{ n: 150, sum: \d+ \} as object \d+ to channel 0 on edge \d; the first time, it was \{ n: 150, sum/,
  ],
  ["time", /^sums: .*sent \{ n: \d+, sum: \d+ \} as object 0/],
  ["count", /^sums: .*the task gave (more than )?\d+ objects/],
  ["state", /^sums: .*left another state: \d+ as its \.seen; the first time, it was \d+/],
  ["throw", /^sums: .*the task failed: .*only the second time/],
  ["stop", /^sums: .*(ctx\.stop\(\)|another)/],
  ["edge", /^sums: .*sent \{ n: 150, sum: \d \} as object/],
  ["behind", /^sums: .*sent \{ n: 15\d, sum: \d+ \}/],
  ["partition", /^numbers: .*sent .* channel \d on edge \d/],
] as const satisfies readonly (readonly [Fault, RegExp])[]) {
  test(`what may not be is found: ${fault}`, async () => {
    assert.match(await found(fault), said);
  });
}

test("a second run whose temporary files were damaged says nothing of the flow: what it had is made again", async () => {
  global = 0;
  const seen: ExecutionEvent["kind"][] = [];
  const onEvent = ({ kind }: ExecutionEvent): void => void seen.push(kind);
  const { rows } = await summed.run({ fault: "damage" }, { ...settings, store: "memory", onEvent });
  assert.is(rows.length, 300);
  assert.ok(global > 3 && seen.includes("recovered"), seen.join());
});

test("what crosses between slots as bytes is compared too (threads)", async () => {
  assert.match(
    await found("output", { isolation: "thread", store: "memory" }),
    /sent \{ n: 150, sum: \d+ \} as object/,
  );
});

test("what does the same passes, and is counted; nothing of the second run is", async () => {
  const once = await runCounting({ fault: "none" }, { ...settings, verifyReplay: false });
  const twice = await runCounting({ fault: "none" }, settings);
  assert.equal(twice.rows, once.rows);
  const [numbersOnce, sumsOnce] = once.steps;
  const [numbersTwice, sumsTwice] = twice.steps;
  assert.is(numbersOnce?.tasksVerified, 0);
  assert.is(numbersTwice?.tasksVerified, numbersTwice?.tasks);
  assert.is(sumsTwice?.tasksVerified, sumsTwice?.tasks);
  assert.equal([numbersTwice?.objectsRead, sumsTwice?.objectsOut], [numbersOnce?.objectsRead, sumsOnce?.objectsOut]);
});

test("a share of the tasks is drawn by the session's seed", async () => {
  const options = { ...settings, limits: { parcelObjects: 3 }, seed: 5, verifyReplay: { share: 0.3 } };
  const [one, other] = [await runCounting({ fault: "none" }, options), await runCounting({ fault: "none" }, options)];
  const { tasks = 0, tasksVerified = 0 } = one.steps[1] ?? {};
  assert.ok(tasksVerified > tasks * 0.1 && tasksVerified < tasks * 0.6, `${tasksVerified} of ${tasks}`);
  assert.is(other.steps[1]?.tasksVerified, tasksVerified);
});

async function runCounting(args: { fault: Fault }, options: RunOptions) {
  const execution = await summed.start(args, options);
  const { rows } = await execution.outputs;
  const steps = execution.metrics?.steps.map(({ metrics }) => metrics) ?? [];
  return { rows: rows.toSorted((a, b) => a.n - b.n), steps };
}

let readings = 0;

const read = defineFlow(import.meta.url, (q, { change }: { change: "value" | "length" | "none" }) => ({
  rows: q
    .read(
      "rows",
      reader({
        kind: "changing",
        splits: () => [0, 1],
        *read(split) {
          const reading = readings++;
          const length = change === "length" && split === 1 ? 100 + reading : 100;
          for (let n = 0; n < length; n++) {
            yield { n, by: change === "value" && split === 1 && n === 77 ? reading : 0 };
          }
        },
      }),
      { channels: 1 },
    )
    .collect(),
}));

test("a reader that gives another object, or more of them, the second time is found", async () => {
  const value = await failure(() => read.run({ change: "value" }, settings), "NONDETERMINISTIC", { step: "rows" });
  assert.match(
    value.message,
    /sent \{ n: 77, by: \d \} as object 37 to channel 0 on edge 0; the first time, it was \{ n: 77/,
  );
  const length = await failure(() => read.run({ change: "length" }, settings), "NONDETERMINISTIC", { step: "rows" });
  assert.match(length.message, /objects/);
  assert.is((await read.run({ change: "none" }, settings)).rows.length, 200);
});

const unverified = defineFlow(import.meta.url, (q) => ({
  rows: q
    .read("live", {
      ...reader({ kind: "live", splits: () => [0], read: () => [1, 2, 3] }),
      replayable: false,
    })
    .apply("plain", () => ({ execute: ({ objects }: { readonly objects: readonly number[] }) => objects }))
    .collect(),
  looped: q
    .iterate(
      "loop",
      { start: q.read("numbers", numbers(0, 3)) },
      () => ({ execute: () => {}, round: () => {}, snapshot: () => null, restore: () => {} }),
      {},
    )
    .collect(),
}));

test("steps that can't be run twice are named", async () => {
  const events: ExecutionEvent[] = [];
  await unverified.run({}, { ...settings, onEvent: (event) => events.push(event) });
  const verifying = events.find((event) => event.kind === "verifying");
  assert.equal(verifying?.kind === "verifying" && verifying.unverified, [
    { step: "live", why: "its source can't be read again" },
    { step: "plain", why: "its operator has no snapshot and restore" },
    { step: "rows", why: "a sink would write twice" },
    { step: "loop", why: "what a loop takes depends on what all its channels gave" },
    { step: "looped", why: "a sink would write twice" },
  ]);
});

test("the first task of each channel is run twice whatever the share", async () => {
  const { steps } = await runCounting({ fault: "none" }, { ...settings, verifyReplay: { share: 1e-9 } });
  const [numbersRead, sums] = steps;
  assert.is(numbersRead?.tasksVerified, 1);
  // What a generator gives may take more than one task.
  const { tasks = 0, tasksVerified = 0 } = sums ?? {};
  assert.ok(tasksVerified >= 2 && tasksVerified < tasks, `${tasksVerified} of ${tasks}`);
  assert.match(await found("time", { verifyReplay: { share: 1e-9 } }), /as object 0/);
});

test("a share that is none is refused", async () => {
  for (const verifyReplay of [{ share: 0 }, { share: 2 }, {} as { share: number }]) {
    await failure(() => summed.run({ fault: "none" }, { ...settings, verifyReplay }), "OPTION_INVALID");
  }
});

test.run();
