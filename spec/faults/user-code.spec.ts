// specs: timeout 120 s
// User code that takes its slot with it, or throws: another life does better, and what comes out is the same.

import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defineFlow, local, numbers, type Isolation } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder, runWithFaults, type FaultedRun } from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { troubled, type Trouble, type Troubles } from "./troubled.ts";

const test = suite("faults: user code");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("user-code");
const pace = { count: 6000, everyMs: 4 };
let files = 0;

/** Tasks that run again in each life, and then one that takes its slot along. */
export const poisoned = defineFlow(
  import.meta.url,
  (q, { trouble, file }: { trouble: "heap" | "exit"; file: string }) => {
    const execute = ({ objects }: { readonly objects: readonly number[] }): readonly number[] => {
      if (objects.includes(150_000)) {
        appendFileSync(file, "x");
        if (trouble === "exit") process.exit(3);
        for (const kept: unknown[] = []; ;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
      }
      return objects.filter((n) => n % 1000 === 0);
    };
    const values = q.read("numbers", numbers(0, 200_000), { channels: 1 });
    return { rows: values.apply("poisoned", () => ({ execute }), { channels: 1 }).collect() };
  },
);

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
      assert.match(String(lost?.kind === "slot-lost" && lost.error.message), said[trouble]);
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
    test(`${trouble}, always, in the middle of the stream: the execution fails (${isolation})`, async () => {
      const file = join(folder.path, `times-${++files}`);
      const options = { slots: 2, isolation, store: "memory", checkpointEveryMs: 50, memoryBytes: 64 << 20 } as const;
      const error = await failure(() => poisoned.run({ trouble, file }, options), "SLOT_LOST");
      assert.match(error.message, said[trouble]);
      const { size } = statSync(file);
      assert.ok(size >= 3 && size <= 20, `${size} slots lost`);
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
