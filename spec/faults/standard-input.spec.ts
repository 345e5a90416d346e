// specs: waits
// specs: timeout 120 s
// Standard input can't be asked again: what was committed of it is in the log, and a killed run goes on with that and what comes then.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { openStore } from "../../actors/stores/open-store.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder } from "../kit/faults.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("faults: standard input");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("standard-input");
// Below dist, so that `qstream` is found from there.
const codeFolder = inSlot ? "" : mkdtempSync(join(projectFolder, "dist", "input-code-"));
const main = join(projectFolder, "dist/lib/cli/main.js");
const seenMs = 30_000;
const half = 1500;

test.after(async () => {
  folder.remove();
  rmSync(codeFolder, { recursive: true, force: true });
  await assertNothingLeft();
});

/** A flow of which each line that a step sees is a byte in a file: by then the log has what was read. */
function writeFlow(seen: string): string {
  const path = join(codeFolder, "flow.mjs");
  mkdirSync(codeFolder, { recursive: true });
  writeFileSync(
    path,
    `
import { appendFileSync } from "node:fs";
import { defineFlow, standardInput } from "qstream";
export default defineFlow(import.meta.url, (q) => ({
  lines: q.read("lines", standardInput()).apply("see", () => ({
    execute({ objects }) {
      appendFileSync(${JSON.stringify(seen)}, "x".repeat(objects.length));
      return objects;
    },
    snapshot: () => null,
    restore() {},
  }), { channels: 1 }).collect(),
}));
`,
  );
  return path;
}

function start(words: readonly string[]): ChildProcess & { readonly said: () => string } {
  const { QSTREAM_SLOT: _slot, ...env } = process.env;
  const child = spawn(process.execPath, [main, "run", ...words], { cwd: projectFolder, env, stdio: "pipe" });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  // It is killed while something is on its way to it.
  child.stdin.on("error", () => {});
  return Object.assign(child, { said: () => said });
}

const linesFrom = (first: number): string => Array.from({ length: half }, (_, at) => `line ${first + at}\n`).join("");

if (!inSlot && hasProcesses()) {
  test("killed with half of it, and gone on with the other half: each line is there once, in order", async () => {
    const seen = join(folder.path, "seen");
    const json = join(folder.path, "out.json");
    const store = `lmdb:${join(folder.path, "store")}`;
    const run = [writeFlow(seen), "--store", store, "--slots", "2", "--quiet"];
    const first = start(run);
    first.stdin?.write(linesFrom(0));
    const deadline = performance.now() + seenMs;
    const count = (): number => statSync(seen, { throwIfNoEntry: false })?.size ?? 0;
    while (count() < half) {
      assert.ok(first.exitCode === null && performance.now() < deadline, `saw ${count()} lines: ${first.said()}`);
      // oxlint-disable-next-line no-await-in-loop -- looks again and again
      await wait(10);
    }
    const ended = once(first, "close");
    first.kill("SIGKILL");
    await ended;

    const known = await openStore(store);
    const [execution] = await known.list();
    await known.close();
    const second = start([...run, "--resume", execution?.execution ?? "", "--json", json]);
    second.stdin?.end(linesFrom(half));
    await once(second, "close");
    assert.is(second.exitCode, 0, second.said());
    const { outputs } = JSON.parse(readFileSync(json, "utf8")) as { readonly outputs: { readonly lines: string[] } };
    assert.equal(
      outputs.lines,
      Array.from({ length: 2 * half }, (_, n) => `line ${n}`),
    );
  }, 60_000);
}

test.run();
