import * as assert from "uvu/assert";
import { openFileSystem } from "../../../../lib/files/index.ts";
import { MemoryFiles } from "../../../../lib/testing/simulation/memory-files.ts";
import { failure } from "../../../kit/failure.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("files of a simulated world");

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(files: MemoryFiles, path: string): Promise<string> {
  const file = await files.open(path);
  const read = await file.read(0, file.entry.bytes);
  await file.close();
  return new TextDecoder().decode(read);
}

test("real files are read, and what is written stays in memory", async () => {
  const files = new MemoryFiles(openFileSystem());
  const path = `${projectFolder}/package.json`;
  assert.match(await textOf(files, path), '"name": "qstream"');
  const writer = await files.create(path);
  await writer.write(bytes("mine"));
  await writer.finish();
  assert.match(await textOf(files, path), '"name": "qstream"');
  await writer.commit();
  assert.is(await textOf(files, path), "mine");
  assert.match(await textOf(new MemoryFiles(openFileSystem()), path), '"name": "qstream"');
  await files.remove([path]);
  await failure(() => files.open(path), "PATH_NOT_FOUND");
  assert.equal([...files.written.keys()], []);
});

test("folders and globs list what was committed", async () => {
  const files = new MemoryFiles(openFileSystem());
  for (const name of ["a.txt", "b.txt", "c.csv"]) {
    const writer = await files.create(`/nowhere/out/${name}`);
    await writer.write(bytes(name));
    if (name !== "b.txt") await writer.commit();
  }
  const names = async (path: string): Promise<string[]> => (await files.list(path)).map((entry) => entry.path);
  assert.equal(await names("/nowhere/out"), ["/nowhere/out/a.txt", "/nowhere/out/c.csv"]);
  assert.equal(await names("/nowhere/out/*.txt"), ["/nowhere/out/a.txt"]);
  await failure(() => files.list("/nowhere/else"), "PATH_NOT_FOUND");
  assert.is(files.hidden.length, 1);
});

test("a later life goes on from a snapshot, with a file of its own", async () => {
  const files = new MemoryFiles(openFileSystem());
  const first = await files.createResumable("/nowhere/part", { owner: "run" });
  await first.write(bytes("one "));
  const from = await first.snapshot();
  await first.write(bytes("lost"));
  const second = await files.createResumable("/nowhere/part", { owner: "run", from });
  await first.write(bytes(" and more"));
  await second.write(bytes("two"));
  await second.finish();
  await second.commit();
  assert.is(await textOf(files, "/nowhere/part"), "one two");
  // A life that goes on from a finished file commits it once more.
  const third = await files.createResumable("/nowhere/part", { owner: "run", from: await second.snapshot() });
  await third.commit();
  assert.is(await textOf(files, "/nowhere/part"), "one two");
  assert.is(files.hidden.length, 1);
  await files.discardResumable("/nowhere", "run");
  assert.equal(files.hidden, []);
  const gone = { ...(from as object), checksum: 1 };
  await failure(() => files.createResumable("/nowhere/part", { owner: "run", from: gone }), "NOT_RECOVERABLE");
});

test("a folder is removed with all that is in it, also what was never finished", async () => {
  const files = new MemoryFiles(openFileSystem());
  for (const path of ["/simulated/a/one", "/simulated/a/b/two", "/simulated/ab"]) {
    const writer = await files.create(path);
    await writer.write(bytes("here"));
    await writer.commit();
  }
  await files.create("/simulated/a/three");
  await files.removeFolder("/simulated/a");
  assert.equal([...files.written.keys()], ["/simulated/ab"]);
  assert.equal(files.hidden, []);
  assert.equal(files.look("/simulated/ab"), bytes("here"));
  assert.is(files.look("/simulated/a/one"), undefined);
});

test.run();
