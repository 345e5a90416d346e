import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { nodeDisk } from "../../../lib/core/seam/node-disk.ts";
import { temporaryFolderIn } from "../../../lib/core/seam/temporary-folder.ts";
import { expectError } from "../../contract/file-system.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("node disk");
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

test("files are appended to and read at any place, also while appends overlap", async () => {
  const disk = nodeDisk({ folder });
  const file = await disk.create("spool");
  const positions = await Promise.all([1, 2, 3].map((byte) => file.append(new Uint8Array(1000).fill(byte))));
  assert.equal(positions, [0, 1000, 2000]);
  assert.is(file.bytes, 3000);
  assert.is(disk.bytesWritten, 3000);
  assert.equal([...(await file.read(999, 2))], [1, 2]);
  assert.is((await file.read(2990, 100)).byteLength, 10);
  await disk.clear();
  assert.equal(await readdir(folder), []);
});

test("nothing is made before the first file, and then only for this user", async () => {
  const disk = nodeDisk({ folder });
  assert.equal(await readdir(folder), []);
  const path = await disk.path("sorted.parquet");
  await writeFile(path ?? "", "x");
  const [own = ""] = await readdir(folder);
  assert.is((await stat(join(folder, own))).mode & 0o777, 0o700);
  await disk.clear();
  assert.equal(await readdir(folder), []);
});

test("what a process left that was killed is removed before the first file is made", async () => {
  const parent = join(folder, "swept");
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  const left = temporaryFolderIn(parent).replace(String(process.pid), String(gone));
  await mkdir(`${left}abc`, { recursive: true });
  await writeFile(join(`${left}abc`, "spool-0"), "x");
  const disk = nodeDisk({ folder: parent });
  await disk.create("spool");
  const [own, ...others] = await readdir(parent);
  assert.match(own ?? "", new RegExp(`^qstream-${process.pid}-`));
  assert.equal(others, []);
  await disk.clear();
  await rm(parent, { recursive: true });
});

test("a folder that can't be made is an error that names it, and doesn't hang", async () => {
  await writeFile(join(folder, "a-file"), "x");
  const below = join(folder, "a-file/below");
  await expectError(
    "BAD_INPUT",
    () => nodeDisk({ folder: below }).create("spool"),
    `the folder ${below} can't be made: ${join(folder, "a-file")} is a file (ENOTDIR). Choose a folder`,
  );
  const made = nodeDisk({ folder: join(folder, "deep/deeper") });
  await made.create("spool");
  await made.clear();
  await rm(join(folder, "a-file"));
  await rm(join(folder, "deep"), { recursive: true });
  if (process.platform !== "linux") return;
  const nowhere = nodeDisk({ folder: "/proc/nope/out" });
  await expectError("BAD_INPUT", () => nowhere.create("spool"), "the folder /proc/nope can't be made");
});

test("a disk at its limit says which setting to raise, and removed files give room", async () => {
  const disk = nodeDisk({ folder, bytesMax: 1000 });
  const file = await disk.create("a");
  await file.append(new Uint8Array(900));
  const second = await disk.create("b");
  await expectError("LIMIT_EXCEEDED", () => second.append(new Uint8Array(200)), "spoolDiskBytes", folder);
  await file.remove();
  await second.append(new Uint8Array(200));
  await disk.clear();
});

test("a file that is being made while the disk is cleared is closed and removed, and none can be made after", async () => {
  const disk = nodeDisk({ folder });
  await disk.create("first");
  const late = disk.create("late").then(
    () => "made",
    () => "refused",
  );
  await disk.clear();
  assert.is(await late, "refused");
  await expectError("ABORTED", () => disk.create("after"), "ended");
  assert.equal(await readdir(folder), []);
});

test("a process that exits without clearing leaves nothing", async () => {
  const source = `
    const { nodeDisk } = await import(${JSON.stringify(new URL("../../../lib/core/seam/node-disk.js", import.meta.url).href)});
    const file = await nodeDisk({ folder: ${JSON.stringify(folder)} }).create("left");
    await file.append(new Uint8Array(10));
    process.exit(3);
  `;
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", source]);
  assert.is(ended.status, 3, ended.stderr.toString());
  assert.equal(await readdir(folder), []);
});

test.run();
