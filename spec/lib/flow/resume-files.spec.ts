// What file sinks have written stays for whoever goes on with an execution that failed, once the log behind it is freed.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
  splits: () => [0],
  async *read(_split, _ctx, behind) {
    for (let n = behind === undefined ? 0 : Number(behind.after); n < count; n += 10) {
      await wait(2);
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

test.run();
