import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { openFileSystem } from "../../../lib/files/index.ts";
import { expectError, fileSystemContract } from "../../contract/file-system.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("local files");
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const put = async (name: string, bytes: Uint8Array): Promise<void> => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
};

fileSystemContract(test, "local", () => ({
  files: openFileSystem(),
  path: (name) => join(folder, name),
  put,
  full: true,
}));

fileSystemContract(test, "file: URLs", () => ({
  files: openFileSystem(),
  path: (name) => pathToFileURL(join(folder, name)).href.replaceAll("%7B", "{").replaceAll("%7D", "}"),
  put: (name, bytes) => put(name, bytes),
  full: false,
}));

test("a writer's temporary file stands hidden beside the final one", async () => {
  const files = openFileSystem();
  const writer = await files.create(join(folder, "beside/part.bin"));
  await writer.write(new Uint8Array(10));
  const names = await readdir(join(folder, "beside"));
  assert.is(names.length, 1);
  assert.match(names[0] ?? "", /^\.part\.bin\.tmp-/);
  await writer.abort();
  assert.equal(await readdir(join(folder, "beside")), []);
});

test("a writer that is aborted while it writes or finishes leaves nothing", async () => {
  const files = openFileSystem();
  for (const busy of ["write", "finish", "nothing"]) {
    const writer = await files.create(join(folder, "given-up/part.bin"));
    const writing = writer.write(new Uint8Array(1 << 20));
    const finishing = busy === "finish" ? writing.then(() => writer.finish()) : writing;
    if (busy !== "write") await writing;
    const [outcome] = await Promise.allSettled([finishing, writer.abort()]);
    assert.is(outcome.status, busy === "write" ? "rejected" : "fulfilled");
    assert.equal(await readdir(join(folder, "given-up")), [], busy);
  }
});

test("a file whose name looks like a glob is that file", async () => {
  await put("[a]*.csv", new Uint8Array(3));
  const found = await openFileSystem().list(join(folder, "[a]*.csv"));
  assert.is(found.length, 1);
});

test("a missing relative path is named absolutely, with the working directory", async () => {
  await expectError("PATH_NOT_FOUND", () => openFileSystem().list("no/such/file"), join(process.cwd(), "no/such/file"));
});

test("an unknown scheme is refused", async () => {
  await expectError("UNSUPPORTED", () => openFileSystem().list("ftp://host/file"), "ftp://");
});

test("a folder that can't be made says so", async () => {
  await put("blocked", new Uint8Array(1));
  await expectError("BAD_INPUT", () => openFileSystem().create(join(folder, "blocked/part.bin")), "blocked");
});

test("local paths are told from URLs", () => {
  const files = openFileSystem();
  assert.is(files.localPath("/a/b.csv"), "/a/b.csv");
  assert.is(files.localPath("file:///a/b.csv"), "/a/b.csv");
  assert.is(files.localPath("s3://a/b.csv"), undefined);
  assert.is(files.localPath("https://a/b.csv"), undefined);
});

test("what is no path is refused by its type: an argument may be missing", async () => {
  const files = openFileSystem();
  for (const paths of [undefined, null, 7, ["a", undefined]]) {
    await failure(() => files.list(paths as unknown as string), "OPTION_INVALID");
  }
});

test("an empty path is refused, and isn't the working directory", async () => {
  const files = openFileSystem();
  for (const paths of ["", ["", "a.csv"]]) {
    assert.is(
      ((await files.list(paths).catch((error: unknown) => error as { code: string })) as { code: string }).code,
      "OPTION_INVALID",
    );
  }
});

test("folders are made as far as they are missing, by several writers at once", async () => {
  const files = openFileSystem();
  const paths = ["a/b/c/1", "a/b/2", "a/b/c/d/3", "a/b/c/d/4"].map((name) => join(folder, "made", name));
  const writers = await Promise.all(paths.map((path) => files.create(path)));
  await Promise.all(writers.map((writer) => writer.commit()));
  assert.is((await files.list(join(folder, "made"))).length, 4);
});

test("a folder that can't be made is an error that names it, and doesn't hang", async () => {
  const files = openFileSystem();
  await put("a-file", new Uint8Array(1));
  const below = join(folder, "a-file/below/part");
  await expectError("BAD_INPUT", () => files.create(below), `the folder ${join(folder, "a-file/below")} can't be made`);
  const inFile = join(folder, "a-file/part");
  await expectError("BAD_INPUT", () => files.create(inFile), `the folder ${join(folder, "a-file")} can't be made`);
  if (process.platform !== "linux") return;
  await expectError("BAD_INPUT", () => files.create("/proc/nope/out/part"), "the folder /proc/nope can't be made");
});

test.run();
