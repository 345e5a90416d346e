// specs: timeout 120 s
// User code that takes its slot with it, or throws: another life does better, and what comes out is the same.

import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  defineFlow,
  local,
  numbers,
  type ExecutionEvent,
  type Isolation,
  type QStreamError,
  type TaskFailed,
} from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder, runWithFaults, type FaultedRun } from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { troubled, type Trouble, type Troubles } from "./troubled.ts";

const test = suite("faults: user code");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("user-code");
const pace = { count: 6000, everyMs: 4 };
let files = 0;

interface Poison {
  readonly trouble: "heap" | "exit";
  readonly file: string;
}

const poison = 150_000;
const most = 200_000;

/** Each task runs again in each life; one takes its slot along. */
const poisonedBy = ({ trouble, file }: Poison) => ({
  execute: ({ objects }: { readonly objects: readonly number[] }): readonly number[] => {
    if (objects.includes(poison)) {
      appendFileSync(file, "x");
      if (trouble === "exit") process.exit(3);
      for (const kept: unknown[] = []; ;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
    }
    return objects.filter((n) => n % 1000 === 0);
  },
});

export const poisoned = defineFlow(import.meta.url, (q, args: Poison) => {
  const values = q.read("numbers", numbers(0, most), { channels: 1 });
  return { rows: values.apply("poisoned", () => poisonedBy(args), { channels: 1 }).collect() };
});

/** The same, with a step that passes over the parcels that it fails on. */
export const passing = defineFlow(import.meta.url, (q, args: Poison) => {
  const values = q.read("numbers", numbers(0, most), { channels: 1 });
  const passed = values.apply("poisoned", () => poisonedBy(args), { channels: 1, onFailure: "skip" });
  return { rows: passed.collect(), failed: passed.failed.collect() };
});

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

async function run(
  trouble: Trouble,
  times: number,
  isolation: Isolation,
  attempts = 3,
): Promise<FaultedRun<{ rows: number[] }> & { readonly happened: number }> {
  const file = join(folder.path, `times-${++files}`);
  const memoryBytes = trouble === "heap" ? { memoryBytes: 64 << 20 } : {};
  await using session = await local({
    slots: 2,
    isolation,
    store: "memory",
    checkpointEveryMs: 50,
    attempts,
    // What a heap that runs over has to say of it is not for the specs' output.
    ...memoryBytes,
  });
  const args: Troubles = { ...pace, trouble, times, file };
  const ended = await runWithFaults(troubled, args, { on: session, seed: 0 }, async () => {});
  return { ...ended, happened: statSync(file).size };
}

function assertComplete(rows: readonly number[]): void {
  const values = rows.filter((n) => n >= 0 && !Object.is(n, -0)).toSorted((a, b) => a - b);
  const sums = rows.filter((n) => n < 0);
  assert.equal(values.length, new Set(values).size, "numbers came twice");
  assert.is(
    sums.reduce((a, b) => a + b, 0),
    (-pace.count * (pace.count - 1)) / 2,
    "the state is another one",
  );
  assert.ok(values.length >= pace.count - 1, `${pace.count - values.length} numbers are missing`);
}

const slotEnds = [
  ["heap", "thread"],
  ["heap", "process"],
  ["exit", "thread"],
  ["exit", "process"],
  ["timer", "thread"],
  ["timer", "process"],
  ["rejection", "process"],
] as const;

// Not the heap of a thread: where it runs over again and again, V8 now and then ends the whole process.
const always = [
  ["heap", "process"],
  ["exit", "process"],
  ["exit", "thread"],
] as const;

if (!inSlot && hasProcesses()) {
  for (const [trouble, isolation] of slotEnds) {
    test(`${trouble}, once: the slot is lost, and another one does its work (${isolation})`, async () => {
      const { outputs, happened, slotsLost, recoveries, events } = await run(trouble, 1, isolation);
      assertComplete(outputs.rows);
      assert.equal([happened, slotsLost], [1, 1]);
      assert.ok(recoveries >= 1);
      const lost = events.find((event) => event.kind === "slot-lost");
      const error = lost?.kind === "slot-lost" ? (lost.error as QStreamError) : undefined;
      assert.match(String(error?.message), said[trouble]);
      // Nobody knows where a timer comes from, or a promise that nobody awaits.
      if (trouble === "exit" || isolation === "thread") {
        assert.is(error?.place.step, trouble === "timer" ? undefined : "troubled", error?.message);
      }
    });
  }

  for (const isolation of ["thread", "process"] as const) {
    test(`an operator that throws and then doesn't: the task runs again (${isolation})`, async () => {
      const { outputs, happened, slotsLost, recoveries } = await run("throw", 2, isolation);
      assertComplete(outputs.rows);
      assert.equal([happened, slotsLost], [2, 0]);
      assert.ok(recoveries >= 2);
    });
  }

  test("an operator that always throws fails the execution, which names the input", async () => {
    const error = await failure(() => run("throw", 1000, "thread", 4), "STEP_FAILED", {
      step: "troubled",
      input: "in",
    });
    assert.match(error.message, "this input is bad");
    assert.type(error.place.channel, "number");
    assert.ok((error.place.seq ?? -1) >= 0, error.message);
    // A task of several parcels fails once more: they are tried one by one then, each from the first time on.
    const { size } = statSync(join(folder.path, `times-${files}`));
    assert.ok(size === 4 || size === 5, `attempts: 4, and it failed ${size} times`);
  });

  for (const [trouble, isolation] of always) {
    const options = { slots: 2, isolation, store: "memory", checkpointEveryMs: 50, memoryBytes: 64 << 20 } as const;

    test(`${trouble}, always, in the middle of the stream: the execution fails, with the task (${isolation})`, async () => {
      const file = join(folder.path, `times-${++files}`);
      const place = { step: "poisoned", channel: 0, input: "in" };
      const error = await failure(
        () => poisoned.run({ trouble, file }, { ...options, attempts: 2 }),
        "SLOT_LOST",
        place,
      );
      assert.match(error.message, said[trouble]);
      assert.match(error.message, "tried 2 times");
      assert.match(error.message, /, input "in": parcels? \d+ .*of channel 0 of "numbers"\)/u);
      assert.ok((error.place.seq ?? -1) >= 0, error.message);
      // A task of several parcels fails once more: they are tried one by one then. Of a heap that runs over at once, on a busy
      // machine, nobody may know the task.
      const { size } = statSync(file);
      assert.ok(size === 2 || size === 3 || trouble === "heap", `attempts: 2, and ${size} slots were lost`);
    }, 60_000);

    test(`${trouble}, always, in a step that passes over what it fails on: the rest is there (${isolation})`, async () => {
      const file = join(folder.path, `times-${++files}`);
      const failures: TaskFailed[] = [];
      const onEvent = (event: ExecutionEvent): void => void (event.kind === "task-failed" && failures.push(event));
      const { rows, failed } = await passing.run({ trouble, file }, { ...options, attempts: 2, onEvent });
      const objects = new Set(failed.map(({ object }) => object as number));
      assert.ok(objects.has(poison));
      assert.match(failed[0]?.error ?? "", said[trouble]);
      const missing = Array.from({ length: most / 1000 }, (_, n) => n * 1000).filter((n) => !rows.includes(n));
      assert.ok(missing.length > 0 && missing.every((n) => objects.has(n)), `missing: ${missing.join(", ")}`);
      const last = failures.at(-1);
      assert.equal([last?.next, last?.attempt, last?.step], ["pass-over", 2, "poisoned"]);
    }, 60_000);
  }
}

const said: Readonly<Record<(typeof slotEnds)[number][0], RegExp>> = {
  heap: /memory|SIGABRT/,
  exit: /process\.exit\(3\)/,
  timer: /thrown by a timer/,
  rejection: /nobody waits/,
};

test.run();
