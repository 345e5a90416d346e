// specs: waits
// specs: timeout 300 s
// kill -9 of everything: another process goes on with store and checkpoints, and refuses what it can't go on with.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { openStore } from "../../actors/stores/open-store.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { assertNothingLeft, digestOf, hasProcesses, makeSpecFolder, signal, slotProcesses } from "../kit/faults.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import type { Told } from "./run-to-kill.ts";

const test = suite("faults: the whole run");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("resume");
const codeFolder = inSlot ? "" : mkdtempSync(join(projectFolder, "dist", "faults-code-"));
const pace = { count: 24_000, everyMs: 10 };

test.after(async () => {
  folder.remove();
  rmSync(codeFolder, { recursive: true, force: true });
  await assertNothingLeft();
});

/** A process that runs a flow, and what it prints. */
class Started {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  #stopped: readonly number[] = [];

  constructor(words: readonly string[], cwd = projectFolder) {
    const { QSTREAM_SLOT: _slot, ...env } = process.env;
    this.child = spawn(process.execPath, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** kill -9, and then its slots end by themselves. */
  async kill(): Promise<void> {
    const slots = slotProcesses(this.child.pid);
    const ended = once(this.child, "close");
    assert.ok(this.child.kill("SIGKILL"), `it had ended: ${this.stdout.slice(0, 100)}${this.stderr}`);
    await ended;
    const living = (): boolean => slots.some(({ pid }) => readdirSync("/proc").includes(String(pid)));
    for (let tries = 0; living() && tries < 100; tries++) await wait(20);
    assert.not(living(), "slots live on though their parent is gone");
  }

  /** SIGSTOP for it and its slots. */
  stop(): void {
    this.#stopped = [this.child.pid ?? -1, ...slotProcesses(this.child.pid).map(({ pid }) => pid)];
    assert.ok(this.running, `it had ended: ${this.stdout.slice(0, 100)}${this.stderr}`);
    for (const pid of this.#stopped) signal(pid, "SIGSTOP");
  }

  goOn(): void {
    for (const pid of this.#stopped) signal(pid, "SIGCONT");
  }

  async ended(): Promise<void> {
    if (this.running) await once(this.child, "close");
  }

  async end(): Promise<string> {
    await this.ended();
    assert.is(this.child.exitCode, 0, this.stderr);
    return this.stdout;
  }
}

const program = (told: Told): Started =>
  new Started(["--enable-source-maps", join(projectFolder, "dist/spec/faults/run-to-kill.js"), JSON.stringify(told)]);

/** Waits until channels have committed some tasks more. Returns the execution. */
async function progressed(url: string, started: Started, tasks: number): Promise<string> {
  const store = await openStore(url);
  try {
    return await progressedIn(store, started, tasks);
  } finally {
    await store.close();
  }
}

async function progressedIn(store: LineageStore, started: Started, tasks: number): Promise<string> {
  let first: number | undefined;
  for (;;) {
    assert.ok(started.running, `it ended too early: ${started.stdout.slice(0, 100)}${started.stderr}`);
    const [found] = await store.list();
    if (found !== undefined) {
      let committed = 0;
      for (let channel = 0; channel < found.channels; channel++) {
        committed += (await store.progress(found.execution, channel)).lastSeq + 1;
      }
      first ??= committed;
      if (committed >= first + tasks) return found.execution;
    }
    await wait(5);
  }
}

function outputsOf(stdout: string): string {
  return stdout.trim().split("\n").at(-1) ?? "";
}

if (!inSlot && hasProcesses()) {
  for (const [flow, isolation, seed] of [
    ["keyedSum", "process", 31],
    ["hashJoin", "thread", 32],
  ] as const) {
    test(`${flow}: killed twice and gone on with twice, from checkpoints (${isolation})`, async () => {
      const random = seededRandom(seed);
      const store = `lmdb:${join(folder.path, flow)}`;
      const undisturbed = program({ flow, args: { ...pace, everyMs: 0 }, store: "memory", isolation });
      const told = { flow, args: pace, store, isolation } as const;
      const first = program(told);
      const execution = await progressed(store, first, 20 + random() * 60);
      await first.kill();
      const second = program({ ...told, resume: execution });
      assert.is(await progressed(store, second, 5 + random() * 30), execution);
      await second.kill();
      const outputs = outputsOf(await program({ ...told, resume: execution }).end());
      const same = outputs === outputsOf(await undisturbed.end());
      assert.ok(same, `seed ${seed}: the outputs differ`);
      assert.equal(await listed(store), [], "what is done isn't kept");
    }, 90_000);
  }

  test("files: killed and gone on with, each row is there once", async () => {
    const store = `lmdb:${join(folder.path, "files-store")}`;
    const target = join(folder.path, "files");
    const told = { flow: "severalSinks", args: { ...pace, folder: target }, store, isolation: "thread" } as const;
    const first = program(told);
    const execution = await progressed(store, first, 60);
    await first.kill();
    const outputs = JSON.parse(outputsOf(await program({ ...told, resume: execution }).end())) as { count: number[] };
    assert.equal(outputs.count, [pace.count]);
    assert.is(digestOf(csvLines(target)), everyLine(pace.count));
  }, 90_000);

  test("files: stopped, gone on with by another process, and let go on: the first one ends by that, and each row is there once", async () => {
    const store = `lmdb:${join(folder.path, "stopped-store")}`;
    const target = join(folder.path, "stopped");
    const gate = join(folder.path, "stopped-gate");
    // What is left to read when it is stopped takes a while.
    const args = { count: 48_000, everyMs: 40, folder: target, gate };
    const told = { flow: "severalSinks", args, store, isolation: "process" } as const;
    const first = program(told);
    const execution = await progressed(store, first, 60);
    // Opened before: whoever opens it while the first is stopped may wait for its lock, and this thread has to let it go on.
    const looking = await openStore(store);
    first.stop();
    const second = program({ ...told, resume: execution });
    // The same goes for the second one, which then begins later.
    const going = progressedIn(looking, second, 20);
    await Promise.race([going, wait(5000)]);
    first.goOn();
    await Promise.all([going, first.ended()]);
    await looking.close();
    assert.is(first.child.exitCode, 1, `${first.stdout.slice(0, 200)}${first.stderr}`);
    assert.match(first.stderr, "EXECUTION_TAKEN");
    writeFileSync(gate, "");
    const outputs = JSON.parse(outputsOf(await second.end())) as { count: number[] };
    assert.equal(outputs.count, [args.count]);
    assert.is(digestOf(csvLines(target)), everyLine(args.count));
    assert.equal(await listed(store), []);
  }, 90_000);

  test("files: killed and given up, nothing of it is left where its sinks wrote", async () => {
    const store = `lmdb:${join(folder.path, "given-up-store")}`;
    const target = join(folder.path, "given-up");
    const first = program({ flow: "severalSinks", args: { ...pace, folder: target }, store, isolation: "thread" });
    const execution = await progressed(store, first, 60);
    await first.kill();
    const left = readdirSync(target, { recursive: true })
      .map(String)
      .filter((name) => name.includes(`/.${execution}.`))
      .map((name) => `  ${join(target, name)}`)
      .toSorted();
    assert.ok(left.length > 0, "it left nothing");
    const removed = await qstream(["executions", "remove", execution, "--store", store]);
    const said = [`removed ${execution}`, "removed hidden files of its sinks:", ...left, ""];
    assert.equal([removed.code, removed.stdout], [0, said.join("\n")]);
    assert.equal(readdirSync(join(target, "csv")), []);
    assert.equal(readdirSync(join(target, "parquet")), []);
  }, 90_000);

  test("the command line: --resume, changed code, another flow, and executions", commandLine, 60_000);
}

/** Lines of the CSV files of `severalSinks`, without headers; nothing else is beside them. */
function csvLines(target: string): readonly string[] {
  const names = readdirSync(join(target, "csv"));
  assert.ok(
    names.every((name) => /^part-.*\.csv$/.test(name)),
    names.join(),
  );
  return names.flatMap((name) =>
    readFileSync(join(target, "csv", name), "utf8")
      .trim()
      .split("\n")
      .slice(1),
  );
}

function everyLine(count: number): string {
  return digestOf(Array.from({ length: count }, (_, n) => `${n},row ${n}`));
}

async function listed(store: string): Promise<readonly { readonly execution: string; readonly status: string }[]> {
  const ended = await qstream(["executions", "list", "--json", "--store", store]);
  assert.is(ended.code, 0, ended.stderr);
  return JSON.parse(ended.stdout) as readonly { readonly execution: string; readonly status: string }[];
}

/** A module with a flow that sums numbers; `added` is a part of its code. */
function writeFlow(
  name: string,
  { added = 0, step = "sum" }: { readonly added?: number; readonly step?: string } = {},
): string {
  const path = join(codeFolder, name);
  const text = `
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader } from "qstream";
const slow = (count) => reader({
  kind: "slow",
  splits: () => [0, 1].map((part) => ({ part })),
  async *read({ part }) {
    for (let n = part; n < count; n += 2) {
      if (n % 100 === part) await wait(10);
      yield n;
    }
  },
});
export default defineFlow(import.meta.url, (q, args) => ({
  sums: q.read("numbers", slow(Number(args.count)))
    .reduceByKey("${step}", (n) => n % 7, () => 0, (sum, n) => sum + n)
    .map("add", ({ key, value }) => ({ key, value: value + ${added} })).collect(),
}));
`;
  mkdirSync(codeFolder, { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function commandLine(): Promise<void> {
  const count = 10_000;
  const store = `lmdb:${join(folder.path, "cli-store")}`;
  const path = writeFlow("flow.mjs");
  const main = join(projectFolder, "dist/lib/cli/main.js");
  const common = ["--store", store, "--slots", "2", "--quiet"];
  const run = ["run", path, ...common];

  const first = new Started([main, ...run, "--arg", `count=${count}`]);
  const execution = await progressed(store, first, 20);
  await first.kill();
  assert.equal(
    (await listed(store)).map((row) => [row.execution, row.status]),
    [[execution, "running"]],
  );
  const shown = await qstream(["executions", "show", execution, "--store", store]);
  assert.is(shown.code, 0, shown.stderr);
  for (const said of [execution, "flow.mjs", `"count":"${count}"`, "numbers", "lastSeq"])
    assert.match(shown.stdout, said);

  // What it can't go on with is refused, and changes nothing.
  const hashes: string[] = [];
  writeFlow("flow.mjs", { added: 1 });
  const changed = await qstream([...run, "--resume", execution]);
  assert.is(changed.code, 1);
  assert.match(changed.stderr, /\[CODE_CHANGED\]/);
  hashes.push(...(changed.stderr.match(/\b[0-9a-f]{24}\b/g) ?? []));
  assert.is(new Set(hashes).size, 2, `both hashes: ${changed.stderr}`);
  const other = await qstream(["run", writeFlow("other.mjs", { step: "other sum" }), ...common, "--resume", execution]);
  assert.is(other.code, 1);
  assert.match(other.stderr, /\[FINGERPRINT_CHANGED\]/);
  const unknown = await qstream([...run, "--resume", "run-of-nobody"]);
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, /\[EXECUTION_UNKNOWN\][^]*run-of-nobody[^]*/);
  assert.match(unknown.stderr, execution, "it says which there are");

  // The new code's states are the old ones: it goes on, and what comes out is the new code's.
  const json = join(folder.path, "upgraded.json");
  const upgraded = await qstream([...run, "--resume", execution, "--upgrade", "--json", json]);
  assert.is(upgraded.code, 0, upgraded.stderr);
  const { outputs, metrics } = JSON.parse(readFileSync(json, "utf8")) as {
    readonly outputs: { readonly sums: readonly { readonly key: number; readonly value: number }[] };
    readonly metrics: { readonly resumed?: boolean };
  };
  assert.is(metrics.resumed, true, "what was done before isn't counted");
  const expected = Array.from({ length: 7 }, (_, key) => ({ key, value: 1 }));
  for (let n = 0; n < count; n++) (expected[n % 7] as { value: number }).value += n;
  assert.is(digestOf(outputs.sums), digestOf(expected));
  assert.equal(await listed(store), []);

  const gone = await qstream([...run, "--resume", execution, "--upgrade"]);
  assert.match(gone.stderr, /\[EXECUTION_UNKNOWN\]/);
  await removal(store, main, [...run, "--arg", `count=${count}`]);
}

async function removal(store: string, main: string, run: readonly string[]): Promise<void> {
  const started = new Started([main, ...run]);
  const execution = await progressed(store, started, 6);
  await started.kill();
  const removed = await qstream(["executions", "remove", execution, "--store", store]);
  assert.equal([removed.code, removed.stdout], [0, `removed ${execution}\n`]);
  const again = await qstream(["executions", "remove", execution, "--store", store]);
  assert.is(again.code, 1);
  assert.match(again.stderr, /\[EXECUTION_UNKNOWN\]/);
  assert.equal(await listed(store), []);
}

test.run();
