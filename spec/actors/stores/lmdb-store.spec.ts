import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { LmdbDatabase, rangeOf } from "../../../actors/stores/lmdb-database.ts";
import { openStore } from "../../../actors/stores/open-store.ts";
import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { suite } from "../../kit/suite.ts";
import { refuses, testStore } from "./conformance.ts";
import { bytesOf, newExecution, records } from "./store-under-test.ts";

const test = suite("the store in a folder");
const folder = await mkdtemp(join(tmpdir(), "qstream-spec-lmdb-"));
const description = Uint8Array.of(1);

test.after(() => rm(folder, { recursive: true, force: true }));

testStore(test, {
  open: () => openStore(`lmdb:${folder}/unflushed`),
  survives: true,
  checkpointBytes: [0, 65_536, 65_537, 20_000_000],
});

async function withFolder(name: string, body: (store: LineageStore, path: string) => Promise<void>): Promise<void> {
  const path = join(folder, name);
  const store = await openStore(`lmdb:${path}`);
  try {
    await store.create("e", description, 2, 1);
    await store.commit("e", [{ channel: 0, generation: 0, firstSeq: 0, records: records(10) }]);
    await body(store, path);
  } finally {
    await store.close();
  }
}

/** Files of checkpoints, with their paths. */
async function checkpointFiles(path: string): Promise<string[]> {
  const entries = await readdir(join(path, "checkpoints"), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  "one flipped bit": async (file) => {
    const bytes = await readFile(file);
    bytes[70_000] = (bytes[70_000] ?? 0) ^ 4;
    await writeFile(file, bytes);
  },
  "a cut end": (file) => truncate(file, 99_999),
  "an end that is too long": (file) => writeFile(file, "more", { flag: "a" }),
  "no file": (file) => rm(file),
};

test("a checkpoint with a damaged file isn't one, and the one before it is", async () => {
  for (const [what, damage] of Object.entries(damages)) {
    await withFolder(`damage-${what.replaceAll(" ", "-")}`, async (store, path) => {
      await store.saveCheckpoint("e", 0, 0, 1, bytesOf(100_000, 1));
      const before = await checkpointFiles(path);
      await store.saveCheckpoint("e", 0, 0, 2, bytesOf(100_000, 2));
      for (const file of await checkpointFiles(path)) if (!before.includes(file)) await damage(file);
      assert.is(await store.loadCheckpoint("e", 0, 2), undefined, what);
      assert.equal(await store.loadCheckpoint("e", 0, 1), bytesOf(100_000, 1), what);
      // It can be made again.
      await store.saveCheckpoint("e", 0, 0, 2, bytesOf(100_000, 2));
      assert.equal(await store.loadCheckpoint("e", 0, 2), bytesOf(100_000, 2), what);
    });
  }
});

test("files of checkpoints go when they are freed, replaced, fenced or dropped, and so do those of a writer that was killed", async () => {
  await withFolder("files", async (store, path) => {
    const count = async (): Promise<number> => (await checkpointFiles(path)).length;
    await store.saveCheckpoint("e", 0, 0, 1, bytesOf(100_000, 1));
    await store.saveCheckpoint("e", 0, 0, 1, bytesOf(100_000, 2));
    await store.saveCheckpoint("e", 0, 0, 1, bytesOf(100_000, 2));
    assert.is(await count(), 1);
    await store.saveCheckpoint("e", 0, 0, 5, bytesOf(100_000, 3));
    const [file = ""] = await checkpointFiles(path);
    await writeFile(join(file, "..", "0-1-0-abc-99-1.part"), "cut");
    await store.free("e", 0, -1, 5);
    assert.is(await count(), 1);
    await store.fence("e", [0]);
    assert.is(await store.saveCheckpoint("e", 0, 0, 6, bytesOf(100_000, 4)), "fenced");
    assert.is(await count(), 1);
    await store.drop("e");
    assert.is(await count(), 0);
  });
});

test("flushed commits are there as well", async () => {
  const path = `lmdb:${folder}/flushed?flush=true`;
  const store = await openStore(path);
  await store.create("e", description, 1, 1);
  await store.commit("e", [{ channel: 0, generation: 0, firstSeq: 0, records: records(10) }]);
  await store.saveCheckpoint("e", 0, 0, 4, bytesOf(100_000));
  await store.close();
  const again = await openStore(path);
  assert.equal(await again.progress("e", 0), { generation: 0, lastSeq: 9, checkpoint: 4 });
  assert.equal(await again.loadCheckpoint("e", 0, 4), bytesOf(100_000));
  await again.close();
});

test("what a process had committed when it was killed is there, and the store can be used on", async () => {
  const path = join(folder, "killed");
  const program = `
    const { openStore } = await import(${JSON.stringify(new URL("../../../actors/stores/open-store.js", import.meta.url).href)});
    const store = await openStore(${JSON.stringify(`lmdb:${path}`)});
    await store.create("e", new Uint8Array(1), 1, 1);
    for (let seq = 0; ; seq++) {
      await store.commit("e", [{ channel: 0, generation: 0, firstSeq: seq, records: [new Uint8Array(100)] }]);
      process.stdout.write(seq + "\\n");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.length > 3000) child.kill("SIGKILL");
  });
  await once(child, "close");
  const told = Number(said.split("\n").at(-2));
  assert.ok(told > 100);
  const store = await openStore(`lmdb:${path}`);
  const { lastSeq } = await store.progress("e", 0);
  assert.ok(lastSeq >= told, `${lastSeq} of ${told}`);
  assert.is((await store.read("e", 0, -1, 100_000)).length, lastSeq + 1);
  await store.commit("e", [{ channel: 0, generation: 0, firstSeq: lastSeq + 1, records: records(1) }]);
  await store.close();
});

test("a removal that was begun is finished when the store is opened", async () => {
  const path = join(folder, "removal");
  const store = await openStore(`lmdb:${path}`);
  await store.create("e", description, 1, 1);
  await store.commit("e", [{ channel: 0, generation: 0, firstSeq: 0, records: records(10) }]);
  await store.close();
  // As drop leaves it when the process ends behind its first transaction.
  const database = await LmdbDatabase.open(path, false);
  await database.write(() => {
    database.put(["x", "e"], new Uint8Array(1));
    database.remove(["e", "e"]);
    database.remove(["d", "e"]);
  });
  await database.close();
  await (await openStore(`lmdb:${path}`)).close();
  const finished = await LmdbDatabase.open(path, false);
  assert.equal(finished.keys(rangeOf()), []);
  await finished.close();
});

test("a path that can't be a folder is refused with its name", async () => {
  const file = fileURLToPath(import.meta.url);
  for (const below of ["", "/below", "/below/more"]) {
    const { message } = await refuses("STORE_UNAVAILABLE", () => openStore(`lmdb:${file}${below}`));
    const why = below === "" ? "it is a file (EEXIST)" : `${file} is a file (ENOTDIR)`;
    assert.match(
      message,
      `the store can't be opened: the folder ${file}${below} can't be made: ${why}. Name another folder`,
    );
    assert.is(message.split(file).length, below === "" ? 2 : 3, "a path is named once");
    assert.not.match(message, "..");
  }
});

test("records of many channels are kept apart, and reading one doesn't read the others", async () => {
  const store = await openStore(`lmdb:${folder}/many`);
  const execution = newExecution();
  await store.create(execution, description, 300, 1);
  const commits = Array.from({ length: 300 }, (_, channel) => {
    return { channel, generation: 0, firstSeq: 0, records: records(20, channel) };
  });
  await store.commit(execution, commits);
  assert.equal(
    (await store.read(execution, 255, 17, 100)).map(({ seq, record }) => [seq, record[0]]),
    [
      [18, (255 + 18) % 251],
      [19, (255 + 19) % 251],
    ],
  );
  await store.close();
});

test.run();
