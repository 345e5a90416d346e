import * as assert from "uvu/assert";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { durationMs } from "../../../lib/cli/option-values.ts";
import { removeMany, removeOne } from "../../../lib/cli/remove-executions.ts";
import type { ExecutionStatus, StoredExecution } from "../../../lib/core/contracts/lineage-store.ts";
import { defaultLimits } from "../../../lib/core/limits.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { encodeStoredFlow } from "../../../lib/flow/stored-flow.ts";
import { planOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("executions that are removed");
const files = openFileSystem();
const everything = Number.POSITIVE_INFINITY;

async function description(): Promise<Uint8Array> {
  const plan = planOf([{ id: "numbers", channels: 1, kind: "reader" }], []);
  const args = await encodeArguments({});
  const seen = { flow: "flow", module: "file:///flow.ts", codeHash: "", seed: 1, openedAt: 0, strict: false } as const;
  return encodeStoredFlow({ ...seen, args, plan, splits: [], limits: defaultLimits, sinkFolders: [] });
}

/** A store with executions that were started at 1000, 2000, ... */
async function storeWith(...statuses: readonly ExecutionStatus[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [index, status] of statuses.entries()) {
    const id = `run-${index + 1}`;
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await store.create(id, await description(), 1, (index + 1) * 1000);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await store.setStatus(id, status);
  }
  return store;
}

const idsIn = async (store: MemoryStore): Promise<string[]> => (await store.list()).map(({ execution }) => execution);

test("all that have ended go, and what is called running stays", async () => {
  const store = await storeWith("failed", "running", "cancelled", "done");
  const { text, code } = await removeMany(store, files, { startedBefore: everything, json: false });
  assert.is(code, 0);
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.slice(0, -1), ["removed run-1", "removed run-3", "removed run-4"]);
  assert.match(lines.at(-1) ?? "", /^removed 3 executions; 1 that is called running stays\./);
  assert.equal(await idsIn(store), ["run-2"]);
  const again = await removeMany(store, files, { startedBefore: everything, json: true });
  assert.equal(JSON.parse(again.text), { removed: [], running: ["run-2"] });
});

test("those that were started long ago go, and the others stay", async () => {
  const store = await storeWith("failed", "failed", "running", "failed");
  const { text } = await removeMany(store, files, { startedBefore: 3500, json: true });
  const removed = ["run-1", "run-2"].map((execution) => ({ execution, files: [] }));
  assert.equal(JSON.parse(text), { removed, running: ["run-3"] });
  assert.equal(await idsIn(store), ["run-3", "run-4"]);
  const none = await removeMany(store, files, { startedBefore: 0, json: false });
  assert.is(none.text, "removed 0 executions\n");
});

test("one that somebody goes on with meanwhile stays", async () => {
  const store = await storeWith("failed", "failed");
  const drop = store.drop.bind(store);
  store.drop = async (execution) => {
    await drop(execution);
    await store.setStatus("run-2", "running");
  };
  const { text } = await removeMany(store, files, { startedBefore: everything, json: false });
  assert.match(text, /^removed run-1\nremoved 1 execution; 1 that is called running stays/);
  assert.equal(await idsIn(store), ["run-2"]);
});

test("one that can't be removed doesn't keep the others, and is named", async () => {
  const store = await storeWith("failed");
  await store.create("run-0", new Uint8Array([1, 2, 3]), 1, 5000);
  await store.setStatus("run-0", "failed");
  const { text, code } = await removeMany(store, files, { startedBefore: everything, json: false });
  assert.is(code, 1);
  assert.match(text, /^removed run-1\nrun-0 can't be removed: .+\nremoved 1 execution\n$/s);
});

test("the one that is named goes, whatever it is called", async () => {
  const store = await storeWith("running");
  assert.is(await removeOne(store, files, (await store.find("run-1")) as StoredExecution, false), "removed run-1\n");
  assert.equal(await idsIn(store), []);
});

test("durations have units", () => {
  const all = ["90s", "1.5min", "12h", "7d", "1 d"].map((text) => durationMs("--older-than", text));
  assert.equal(all, [90_000, 90_000, 43_200_000, 604_800_000, 86_400_000]);
  for (const text of ["7", "d", "7 days", "-1d", "0s", "1e3s", "99999999d", "toString"]) {
    assert.throws(() => durationMs("--older-than", text), /--older-than .*: a duration is wanted, written like 90s/);
  }
});

test.run();
