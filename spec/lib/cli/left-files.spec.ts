import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { encodeArguments } from "../../../actors/slot/arguments.ts";
import { fileNames, leftFiles, removeLeft, type LeftFiles } from "../../../lib/cli/left-files.ts";
import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import type { StoredExecution } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { defaultLimits } from "../../../lib/core/limits.ts";
import { globExpression } from "../../../lib/files/glob.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { encodeStoredFlow, type StoredFlow } from "../../../lib/flow/stored-flow.ts";
import { planOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what runs that were given up left in folders");
const folder = mkdtempSync(join(tmpdir(), "qstream-left-spec-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const files = openFileSystem();
const steps = [
  { id: "numbers", channels: 1, kind: "reader" },
  { id: "written", channels: 1, kind: "sink" },
] as const;

async function stored(given: Partial<StoredFlow> = {}, what = "csv"): Promise<StoredFlow> {
  const plan = planOf(steps, [{ from: 0, to: 1 }]);
  const [reader, sink] = plan.steps;
  return {
    flow: "flow",
    module: "file:///flow.ts",
    codeHash: "",
    args: await encodeArguments({ out: "somewhere" }),
    plan: { ...plan, steps: [reader, { ...sink, what }] as typeof plan.steps },
    splits: [],
    limits: defaultLimits,
    seed: 1,
    openedAt: 0,
    strict: false,
    sinkFolders: [["written", folder]],
    ...given,
  };
}

async function opened(store: MemoryStore, execution: string, flow: StoredFlow): Promise<StoredExecution> {
  await store.create(execution, encodeStoredFlow(flow), 2, 0);
  return (await store.find(execution)) as StoredExecution;
}

const earlier = (execution: string): Pick<StoredFlow, "earlier"> => ({
  earlier: { execution, startedAs: "run-a", tasks: 10 } as never,
});

const leftOf = async (store: MemoryStore, found: StoredExecution): Promise<LeftFiles | undefined> =>
  leftFiles(found, fileNames(await store.list()));

test("a run has the names that it was started with, also with other channels", async () => {
  const store = new MemoryStore();
  const left = await leftOf(store, await opened(store, "run-a-r2", await stored(earlier("run-a-r1"))));
  assert.equal([left?.prefix, left?.folders], [".run-a.", [["written", folder]]]);
  assert.equal(left?.sinks, [{ step: "written", kind: "csv" }]);
  assert.equal(left?.args, { out: "somewhere" });
});

test("while another execution of that name is there, nothing is said to be left", async () => {
  const store = new MemoryStore();
  const first = await opened(store, "run-a", await stored());
  await opened(store, "run-b", await stored());
  assert.ok(await leftOf(store, first));
  const second = await opened(store, "run-a-r1", await stored(earlier("run-a")));
  assert.is(await leftOf(store, first), undefined);
  assert.is(await leftOf(store, second), undefined);
});

test("a run without file sinks leaves nothing", async () => {
  const store = new MemoryStore();
  assert.is(await leftOf(store, await opened(store, "run-a", await stored({}, "collect"))), undefined);
});

test("a folder that isn't there has nothing, and one that can't be read is said", async () => {
  const file = join(folder, "a file");
  writeFileSync(file, "");
  const left = { prefix: ".run-a.", sinks: [], module: "", args: {} };
  const { removed, refused } = await removeLeft(files, {
    ...left,
    folders: [
      ["one", join(folder, "none")],
      ["two", file],
      ["three", file],
    ],
  });
  assert.equal(removed, []);
  assert.is(refused.length, 1);
  assert.is(refused[0]?.folder, file);
  assert.match(refused[0]?.reason ?? "", "ENOTDIR");
});

test("names that begin otherwise stay", async () => {
  const out = join(folder, "out");
  mkdirSync(out);
  const names = [".run-a.x", "..run-a.y", "...run-a.z", ".run-ab.x", "run-a.x", ".run-a"];
  for (const name of names) writeFileSync(join(out, name), "");
  const left = { prefix: ".run-a.", folders: [["written", out]] as const, sinks: [], module: "", args: {} };
  const { removed } = await removeLeft(files, left);
  assert.equal(removed, [join(out, "..run-a.y"), join(out, ".run-a.x")]);
  assert.equal(readdirSync(out).toSorted(), ["...run-a.z", ".run-a", ".run-ab.x", "run-a.x"]);
});

test("of an object store, objects under hidden names go; a prefix that looks like a glob is that prefix", async () => {
  const names = ["out [1]/.run-a.x", "out [1]/.run-ab.x", "out [1]/part-00000.csv", "out 1/.run-a.x"];
  const objects = new Set(names.map((name) => `s3://bucket/${name}`));
  const bucket = {
    localPath: () => undefined,
    list: async (glob: string) => {
      const found = [...objects].filter((path) => globExpression(glob).test(path));
      if (found.length > 0) return found.map((path) => ({ path, bytes: 0, version: "" }));
      throw new QStreamError("PATH_NOT_FOUND", "no object matches the glob");
    },
    remove: async (paths: readonly string[]) => paths.forEach((path) => objects.delete(path)),
  } as unknown as FileSystem;
  const folders = [
    ["one", "s3://bucket/out [1]"],
    ["two", "s3://bucket/none/"],
  ] as const;
  const { removed, refused } = await removeLeft(bucket, {
    prefix: ".run-a.",
    folders,
    sinks: [],
    module: "",
    args: {},
  });
  assert.equal([removed, refused], [["s3://bucket/out [1]/.run-a.x"], []]);
  assert.is(objects.size, names.length - 1);
});

test.run();
