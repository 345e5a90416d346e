// What file sinks have written stays for whoever goes on with an execution that failed, once the log behind it is freed.

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { defineFlow, run, type Execution, type Reader } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { inSlot, suite } from "../../kit/suite.ts";

const test = suite("files of executions that failed");
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-resume-files-"));
const count = 3000;
let cured = false;

test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers in pieces that come in time, so that several checkpoints are saved. A split is gone on with where it was. */
const paced: Reader<number, number> = {
  kind: "paced",
  options: {},
  splits: () => [0, count / 2],
  async *read(split, _ctx, behind) {
    for (let n = behind === undefined ? split : Number(behind.after); n < split + count / 2; n += 10) {
      await wait(5);
      yield run(
        Array.from({ length: 10 }, (_, at) => n + at),
        n + 10,
      );
    }
  },
};

const written = defineFlow(import.meta.url, (q, { out }: { out: string }) => ({
  rows: q
    .read("numbers", paced)
    .map("fail", (n) => {
      if (n === count - 1 && !cured) throw new Error("there is no cure");
      return String(n);
    })
    .toLines(out),
}));

for (const stop of ["fails", "is cancelled"] as const) {
  test(`an execution with files that ${stop} is gone on with`, async () => {
    cured = stop === "is cancelled";
    const out = join(folder, stop.replace(" ", "-"));
    const options = { isolation: "none", store: `lmdb:${out}-store`, checkpointEveryMs: 10 } as const;
    const first: Execution<unknown> = await written.start({ out }, options);
    if (stop === "is cancelled") void wait(400).then(() => first.cancel());
    await failure(() => first.outputs, stop === "fails" ? "STEP_FAILED" : "ABORTED");
    cured = true;
    assert.ok(readdirSync(out).length > 0, "nothing is left");
    const again = await written.resume(first.id, options);
    await again.outputs;
    const lines = readdirSync(out).flatMap((name) => readFileSync(join(out, name), "utf8").trim().split("\n"));
    assert.equal(
      lines.map(Number).toSorted((left, right) => left - right),
      Array.from({ length: count }, (_, n) => n),
    );
  }, 60_000);
}

test("a change of channels leaves no file open", async () => {
  cured = false;
  const out = join(folder, "rescaled");
  const options = { isolation: "none", slots: 1, store: `lmdb:${out}-store`, checkpointEveryMs: 10 } as const;
  const first = await written.start({ out }, options);
  await failure(() => first.outputs, "STEP_FAILED");
  cured = true;
  const again = await written.resume(first.id, { ...options, rescale: { numbers: 2 } });
  await again.outputs;
  assert.is(again.id, `${first.id}-r1`);
  assert.equal(openBelow(out), []);
}, 60_000);

/** Files of a folder that this process has open, removed ones among them. */
function openBelow(path: string): readonly string[] {
  if (process.platform !== "linux") return [];
  const open = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(join("/proc/self/fd", descriptor));
    } catch {
      // It is the one by which the folder is read.
      return "";
    }
  });
  return open.filter((file) => file.startsWith(`${path}/`));
}

test.run();
