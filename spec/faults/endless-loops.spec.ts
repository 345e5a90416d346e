// specs: waits
// specs: timeout 120 s
// User code that doesn't come back to its slot's event loop: the slot is given up after a time, and another one does better, or
// the execution fails with an error that names the task.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { local, type ExecutionEvent, type QStreamError, type Isolation, type RunOptions } from "../../lib/index.ts";
import type { Place } from "../../lib/core/errors.ts";
import { failure } from "../kit/failure.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder } from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { loaded } from "./loading-loops.ts";
import { count, looping, poison, skipping, type Looping } from "./looping.ts";

const test = suite("faults: endless loops");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("endless-loops");
// Long enough for a machine that is busy with other specs: a slot that is only slow must not be taken for one that hangs.
const turnMs = 700;
const sorted = (rows: readonly number[]): readonly number[] => rows.toSorted((a, b) => a - b);
const all = Array.from({ length: count }, (_, n) => n);
let files = 0;

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

interface Ran {
  readonly rows: readonly number[];
  readonly lost: readonly QStreamError[];
  readonly happened: number;
}

const nextFile = (): string => join(folder.path, `times-${++files}`);

async function run(where: Looping, times: number, options: RunOptions): Promise<Ran> {
  const file = nextFile();
  const lost: QStreamError[] = [];
  const onEvent = (event: ExecutionEvent): void => {
    if (event.kind === "slot-lost") lost.push(event.error as QStreamError);
  };
  const limits = { parcelObjects: 100 };
  const settings = { slots: 2, store: "memory", checkpointEveryMs: 50, turnMs, limits, onEvent, ...options };
  const { rows } = await looping.run({ where, times, file }, settings);
  return { rows: sorted(rows), lost, happened: statSync(file).size };
}

if (!inSlot && hasProcesses()) {
  for (const [where, isolation, place] of [
    ["task", "thread", { step: "looper", input: "in" }],
    ["task", "process", { step: "looper", input: "in" }],
    ["await", "thread", { step: "looper", input: "in" }],
    ["open", "process", { step: "looper", channel: 1 }],
    ["edge", "thread", { step: "numbers", channel: 0 }],
  ] as const) {
    test(`a loop that ends at the second try (${where}, ${isolation}): the slot is given up, and the rows are the same`, async () => {
      const { rows, lost, happened } = await run(where, 1, { isolation });
      assert.equal(rows, all);
      assert.is(happened, 1);
      const entries = Object.entries(place);
      const hung = lost.find((error) => entries.every(([name, value]) => error.place[name as keyof Place] === value));
      assert.match(hung?.message ?? String(lost), /user code kept it from its event loop for \d\.\d s/);
    });
  }

  for (const isolation of ["thread", "process"] as const satisfies readonly Isolation[]) {
    test(`a loop that never ends fails the execution, with the task (${isolation})`, async () => {
      const error = await failure(() => run("task", 1000, { isolation, attempts: 2 }), "SLOT_LOST", {
        step: "looper",
        input: "in",
      });
      assert.ok((error.place.seq ?? -1) >= 0, error.message);
      assert.type(error.place.channel, "number");
      assert.ok(statSync(join(folder.path, `times-${files}`)).size <= 3, "attempts: 2");
    });
  }

  test("a parcel that its step hangs in is passed over, if the step says so", async () => {
    const args = { where: "task", times: 1000, file: nextFile() } as const;
    const settings = { slots: 2, store: "memory", attempts: 2, turnMs, limits: { parcelObjects: 100 } } as const;
    const { rows, failed } = await skipping.run(args, settings);
    assert.ok(failed.some(({ object }) => object === poison));
    assert.match(failed[0]?.error ?? "", /event loop/);
    assert.equal(sorted([...rows, ...failed.map(({ object }) => object as number)]), all);
  });

  test("a loop that nobody knows the task of is tried as often, and is the end then", async () => {
    const error = await failure(() => run("timer", 1000, { attempts: 2 }), "SLOT_LOST");
    assert.match(error.message, /user code kept it from its event loop/);
    assert.is(error.place.step, undefined);
    assert.is(statSync(join(folder.path, `times-${files}`)).size, 2, "attempts: 2");
  });

  test("without a store the first loop is the end, and named", async () => {
    await failure(() => run("task", 1, { store: "none" }), "SLOT_LOST", { step: "looper" });
  });

  test("a module that hangs while it is loaded: once is a loss, again and again the end", async () => {
    process.env["QSTREAM_SPEC_LOADING"] = nextFile();
    process.env["QSTREAM_SPEC_LOADING_TIMES"] = "1";
    // Threads take the environment that is there when they start, and one that replaces another starts later.
    const threads = { slots: 1, store: "memory", attempts: 3, turnMs } as const;
    assert.equal((await loaded.run({}, threads)).rows.length, 10);
    process.env["QSTREAM_SPEC_LOADING_TIMES"] = "1000";
    const error = await failure(() => loaded.run({}, threads), "SLOT_LOST");
    assert.match(error.message, /while it loaded the flow's module/);
    delete process.env["QSTREAM_SPEC_LOADING"];
  });

  test("a native call that doesn't end makes the session's process lost, and the error says so", async () => {
    await using session = await local({ slots: 2, store: "memory", turnMs, attempts: 10 });
    const args = { where: "native", times: 1000, file: nextFile() } as const;
    const error = await failure(() => looping.run(args, { on: session }), "SLOT_LOST");
    assert.match(
      error.message,
      /didn't end within two seconds, as a native call holds it: the session's process is lost/,
    );
    await failure(() => loaded.run({}, { on: session }), "SLOT_LOST");
    assert.ok(existsSync(args.file));
  });
}

test("turnMs is a whole number of milliseconds", async () => {
  const error = await failure(() => local({ turnMs: -1 }), "OPTION_INVALID");
  assert.match(error.message, /turnMs: -1 is not a whole number of milliseconds; 0 for no limit/);
});

test.run();
