// Sinks that are told what the log has, and do what can't be taken back only then.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import {
  defineFlow,
  type QStreamError,
  type OutputSink,
  type Reader,
  type RunOptions,
  type TaskFailed,
} from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("sinks that are told what the log has");
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-told-sinks-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const upTo = 200;
let tick = (): void => {};

const counted: Reader<number, number> = {
  kind: "counted",
  splits: () => [0, 1],
  async *read(split): AsyncGenerator<number> {
    for (let value = split; value < upTo; value += 2) {
      tick();
      if (value % 7 === 0) await turn();
      yield value;
    }
  },
};

/** What the lives of the sink's channel have seen, the last one last. */
let lives: { readonly written: number[]; readonly committed: number[] }[] = [];
/** Called before a task is written. */
let beforeWrite = (): void => {};
let deliver = (_seq: number): void | Promise<void> => {};

const told: OutputSink<number, number> = {
  kind: "told",
  guarantee: "idempotent",
  placement: "single",
  open: () => {
    const life = { written: [] as number[], committed: [] as number[] };
    lives.push(life);
    return {
      write: (_objects, { seq }) => {
        beforeWrite();
        life.written.push(seq);
      },
      committed: (seq) => {
        life.committed.push(seq);
        return deliver(seq);
      },
    };
  },
  result: () => 0,
};

const flow = defineFlow(import.meta.url, (q) => {
  const all = q.read("read", counted);
  return { told: all.to(told, { channels: 1 }) };
});

const limits = { parcelObjects: 4, lingerMs: 1 };
const common = { isolation: "none", limits } as const;

test("a delivery that fails counts for its own task, whatever runs meanwhile, and fails the execution at last", async () => {
  lives = [];
  const failed: TaskFailed[] = [];
  const runBeyond: boolean[] = [];
  deliver = async (seq) => {
    if (seq !== 3) return;
    const { written } = lives.at(-1) ?? { written: [] };
    for (let turns = 0; turns < 100 && (written.at(-1) ?? 0) < 6; turns++) await turn();
    runBeyond.push((written.at(-1) ?? 0) >= 6);
    throw new Error("not taken");
  };
  const options: RunOptions = {
    ...common,
    slots: 2,
    store: "memory",
    attempts: 4,
    onEvent: (event) => void (event.kind === "task-failed" && failed.push(event)),
  };
  const error = await failure(() => flow.run({}, options), "STEP_FAILED", { step: "told", channel: 0, seq: 3 });
  assert.match(error.message, /^tried 4 times: not taken/u);
  assert.equal(
    failed.map(({ seq, attempt }) => ({ seq, attempt })),
    [1, 2, 3].map((attempt) => ({ seq: 3, attempt })),
  );
  assert.equal(runBeyond, [true, true, true, true]);
});

test("on other channels than before, a sink is told the numbers that it was given, of all tasks", async () => {
  lives = [];
  deliver = () => {};
  const options = { ...common, store: `lmdb:${folder}`, checkpointEveryMs: 2 };
  const abort = new AbortController();
  let left = upTo / 2;
  tick = () => void (--left === 0 && abort.abort());
  const execution = await flow.start({}, { ...options, slots: 2, signal: abort.signal });
  assert.is(((await execution.outputs.catch((error: unknown) => error)) as QStreamError).code, "ABORTED");
  tick = () => {};
  // The next life pauses, and the one after it has other producers: it is given again what was written, and fails soon after.
  const first = lives.length + 1;
  let fresh = 0;
  beforeWrite = () => {
    if (lives.length !== first + 1) return;
    if (++fresh === (lives[first - 1]?.written.length ?? 0) + 4) throw new Error("once");
  };
  const { limits: _, ...resuming } = options;
  const resumed = await flow.resume(execution.id, { ...resuming, slots: 3, rescale: { read: 1 } });
  assert.match(resumed.id, /-r1$/u);
  await resumed.outputs;
  assert.is(lives.length, first + 2);
  const { written = [], committed = [] } = lives.at(-1) ?? {};
  assert.equal(written, [...new Set(written)]);
  assert.equal(
    committed.filter((seq) => written.includes(seq)),
    written,
  );
});

test.run();
