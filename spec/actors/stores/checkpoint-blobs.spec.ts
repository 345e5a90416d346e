import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CheckpointBlobs } from "../../../actors/stores/checkpoint-blobs.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import { openStore } from "../../../actors/stores/open-store.ts";
import type { FileSystem } from "../../../lib/core/contracts/file-system.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { refuses, testStore } from "./conformance.ts";
import { bytesOf, records } from "./store-under-test.ts";

const test = suite("checkpoints beside a store");
const files = openFileSystem();
const root = await mkdtemp(join(tmpdir(), "qstream-spec-blobs-"));
test.after(() => rm(root, { recursive: true, force: true }));

testStore(test, {
  open: async () => new CheckpointBlobs(new MemoryStore(), { path: join(root, "memory"), files, storeBytesMax: 0 }),
  survives: false,
  checkpointBytes: [0, 1, 100_000, 20_000_000],
});

if (!inSlot && (await hasRedisServer())) {
  const server = await startRedisServer();
  test.after(() => server.stop());
  const checkpoints = { path: join(root, "redis"), files };
  testStore(test, {
    open: () => openStore(server.url, { checkpoints }),
    survives: true,
    checkpointBytes: [0, 256 * 1024, 256 * 1024 + 1, 20_000_000],
  });
}

async function prepared(name: string, through: FileSystem = files) {
  const path = join(root, name);
  const inner = new MemoryStore();
  const store = new CheckpointBlobs(inner, { path, files: through, storeBytesMax: 10 });
  await store.create("e", new Uint8Array(1), 2, 1);
  await store.commit(
    "e",
    [0, 1].map((channel) => ({ channel, generation: 0, firstSeq: 0, records: records(10) })),
  );
  const blobs = async (): Promise<string[]> => {
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };
  return { inner, store, blobs };
}

test("blobs that nothing points to any more are removed: replaced, freed, fenced, dropped", async () => {
  const { store, blobs } = await prepared("removed");
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000, 1));
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000, 2));
  await store.saveCheckpoint("e", 1, 0, 3, bytesOf(1000, 3));
  await store.saveCheckpoint("e", 0, 0, 2, bytesOf(5));
  assert.is((await blobs()).length, 2);
  await store.saveCheckpoint("e", 0, 0, 7, bytesOf(1000));
  await store.free("e", 0, -1, 7);
  assert.is((await blobs()).length, 2);
  assert.equal(await store.loadCheckpoint("e", 0, 7), bytesOf(1000));
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000));
  await store.fence("e", [0]);
  assert.is(await store.saveCheckpoint("e", 0, 0, 8, bytesOf(1000)), "fenced");
  assert.is(await store.saveCheckpoint("e", 0, 0, 7, bytesOf(1000)), "fenced");
  assert.equal(await store.loadCheckpoint("e", 0, 7), bytesOf(1000));
  assert.is((await blobs()).length, 2);
  await store.drop("e");
  assert.equal(await blobs(), []);
});

test("a blob that is damaged, cut or gone is no checkpoint", async () => {
  const { store, blobs } = await prepared("damaged");
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000));
  const [path = ""] = await blobs();
  const bytes = await readFile(path);
  bytes[500] = (bytes[500] ?? 0) ^ 1;
  await writeFile(path, bytes);
  assert.is(await store.loadCheckpoint("e", 0, 3), undefined);
  await writeFile(path, bytes.subarray(0, 900));
  assert.is(await store.loadCheckpoint("e", 0, 3), undefined);
  await rm(path);
  assert.is(await store.loadCheckpoint("e", 0, 3), undefined);
});

test("a place that can't be written is waited for, and leaves what was there", async () => {
  let broken = false;
  const faulty: FileSystem = {
    list: (paths, signal) => files.list(paths, signal),
    open: (entry, signal) => files.open(entry, signal),
    remove: (paths) => files.remove(paths),
    localPath: (path) => files.localPath(path),
    create: (path) => (broken ? Promise.reject(new Error("ENOSPC: no space left")) : files.create(path)),
  };
  const { store } = await prepared("faulty", faulty);
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000));
  broken = true;
  await refuses("STORE_UNAVAILABLE", () => store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000, 2)));
  assert.equal(await store.loadCheckpoint("e", 0, 3), bytesOf(1000));
  broken = false;
  assert.is(await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000, 2)), "committed");
  assert.equal(await store.loadCheckpoint("e", 0, 3), bytesOf(1000, 2));
});

test("who doesn't name the place is told it, and gets no pointer for data", async () => {
  const { store, inner } = await prepared("unnamed");
  await store.saveCheckpoint("e", 0, 0, 3, bytesOf(1000));
  const error = await refuses("STORE_REFUSED", () => new CheckpointBlobs(inner).loadCheckpoint("e", 0, 3));
  assert.match(error.message, join(root, "unnamed"));
});

test.run();
