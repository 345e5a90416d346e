import * as assert from "uvu/assert";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { ResumableFiles } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Suite } from "../kit/suite.ts";

/** A place for files that a file system under test can read. */
export interface FilePlace {
  readonly files: FileSystem & ResumableFiles;
  /** The path or URL of a name in this place. */
  readonly path: (name: string) => string;
  /** Puts a file there, not by the file system under test. */
  readonly put: (name: string, bytes: Uint8Array) => Promise<void>;
  /** Whether folders and globs can be listed and files written. */
  readonly full: boolean;
}

/** Expects an error with a code and texts in its message. */
export async function expectError(
  code: string,
  action: () => Promise<unknown>,
  ...texts: string[]
): Promise<QStreamError> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, QStreamError, `not a QStreamError: ${String(error)}`);
    const found = error as QStreamError;
    assert.is(found.code, code, found.message);
    for (const text of texts) assert.ok(found.message.includes(text), `"${found.message}" lacks "${text}"`);
    return found;
  }
  throw new Error(`expected an error ${code}`);
}

const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);

/** What every file system must do. */
export function fileSystemContract(test: Suite, name: string, place: () => FilePlace): void {
  test(`${name}: a file is listed with its size and read by ranges`, async () => {
    const { files, path, put } = place();
    const content = bytesOf(100_000);
    await put("whole.bin", content);
    const [entry, ...others] = await files.list(path("whole.bin"));
    assert.is(others.length, 0);
    assert.is(entry?.bytes, content.length);
    const open = await files.open(entry as NonNullable<typeof entry>);
    assert.equal([...(await open.read(0, 10))], [...content.subarray(0, 10)]);
    assert.equal([...(await open.read(50_000, 20_000))], [...content.subarray(50_000, 70_000)]);
    assert.equal([...(await open.read(99_990, 100))], [...content.subarray(99_990)]);
    assert.is((await open.read(100_000, 10)).byteLength, 0);
    await open.close();
    await open.close();
  });

  test(`${name}: an empty file has no bytes`, async () => {
    const { files, path, put } = place();
    await put("empty.bin", new Uint8Array(0));
    const open = await files.open(path("empty.bin"));
    assert.is(open.entry.bytes, 0);
    assert.is((await open.read(0, 10)).byteLength, 0);
    await open.close();
  });

  test(`${name}: a missing file is PATH_NOT_FOUND and named, listed or opened`, async () => {
    const { files, path } = place();
    await expectError("PATH_NOT_FOUND", () => files.list(path("missing.bin")), "missing.bin");
    await expectError("PATH_NOT_FOUND", () => files.open(path("missing.bin")), "missing.bin");
    await expectError("PATH_NOT_FOUND", () => files.list([]));
  });

  test(`${name}: a file that was replaced since it was listed is BAD_INPUT`, async () => {
    const { files, path, put } = place();
    await put("replaced.bin", bytesOf(10));
    const [entry] = await files.list(path("replaced.bin"));
    await put("replaced.bin", bytesOf(20));
    await expectError("BAD_INPUT", () => files.open(entry as NonNullable<typeof entry>), "replaced.bin", "changed");
  });

  test(`${name}: a list of paths gives each file once, sorted`, async () => {
    const { files, path, put } = place();
    for (const file of ["b.bin", "a.bin"]) await put(file, bytesOf(3));
    const found = await files.list([path("b.bin"), path("a.bin"), path("b.bin")]);
    assert.equal(found.map((entry) => entry.path).map(lastName), ["a.bin", "b.bin"]);
  });

  foldersContract(test, name, place);
  writingContract(test, name, place);
  resumingContract(test, name, place);
}

function foldersContract(test: Suite, name: string, place: () => FilePlace): void {
  test(`${name}: folders and globs are listed without hidden files`, async () => {
    const { files, path, put, full } = place();
    if (!full) return;
    for (const file of [
      "tree/b.csv",
      "tree/a.csv",
      "tree/sub/c.csv",
      "tree/sub/d.txt",
      "tree/.hidden.csv",
      "tree/.git/e.csv",
    ]) {
      await put(file, bytesOf(3));
    }
    const names = async (pattern: string): Promise<string> =>
      (await files.list(path(pattern))).map((entry) => lastName(entry.path)).join(" ");
    assert.is(await names("tree"), "a.csv b.csv c.csv d.txt");
    assert.is(await names("tree/"), "a.csv b.csv c.csv d.txt");
    assert.is(await names("tree/*.csv"), "a.csv b.csv");
    assert.is(await names("tree/**/*.csv"), "a.csv b.csv c.csv");
    assert.is(await names("tree/sub/?.{csv,txt}"), "c.csv d.txt");
    assert.is(await names("tree/[!a].csv"), "b.csv");
    await expectError("PATH_NOT_FOUND", () => files.list(path("tree/*.parquet")), "tree/*.parquet");
  });
}

function writingContract(test: Suite, name: string, place: () => FilePlace): void {
  test(`${name}: a written file is seen only when it is committed`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const content = bytesOf(700_000);
    const writer = await files.create(path("written/part.bin"));
    for (let at = 0; at < content.length; at += 9_999) await writer.write(content.subarray(at, at + 9_999));
    await expectError("PATH_NOT_FOUND", () => files.list(path("written/part.bin")));
    await writer.finish();
    await expectError("PATH_NOT_FOUND", () => files.list(path("written/part.bin")));
    await expectError("PATH_NOT_FOUND", () => files.list(path("written")));
    await writer.commit();
    const open = await files.open(path("written/part.bin"));
    assert.ok(Buffer.from(await open.read(0, 1_000_000)).equals(content));
    await open.close();
    await files.remove([path("written/part.bin")]);
    await files.remove([path("written/part.bin")]);
    await expectError("PATH_NOT_FOUND", () => files.list(path("written/part.bin")));
  });

  test(`${name}: an aborted file leaves nothing, an empty one is a file`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const aborted = await files.create(path("aborted/part.bin"));
    await aborted.write(bytesOf(1000));
    await aborted.abort();
    await expectError("PATH_NOT_FOUND", () => files.list(path("aborted/part.bin")));
    const finished = await files.create(path("aborted/part.bin"));
    await finished.write(bytesOf(1000));
    await finished.finish();
    await finished.abort();
    await expectError("PATH_NOT_FOUND", () => files.list(path("aborted/part.bin")));
    const empty = await files.create(path("aborted/empty.bin"));
    await empty.finish();
    await empty.commit();
    assert.is((await files.list(path("aborted/empty.bin")))[0]?.bytes, 0);
  });
}

const contentOf = async (files: FileSystem, path: string): Promise<Uint8Array> => {
  const open = await files.open(path);
  const read = await open.read(0, open.entry.bytes);
  await open.close();
  return new Uint8Array(read);
};
// More than one part of an S3 upload.
const content = bytesOf(9_000_000);
const owner = "run-1.out.0";

function resumingContract(test: Suite, name: string, place: () => FilePlace): void {
  test(`${name}: a file is gone on with from a snapshot, whatever its earlier writer writes later`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const first = await files.createResumable(path("resumed/part.bin"), { owner });
    await first.write(content.subarray(0, 8_500_000));
    const state = structuredClone(await first.snapshot());
    await first.write(content.subarray(8_500_000, 8_600_000));
    const second = await files.createResumable(path("resumed/part.bin"), { owner, from: state });
    await first.write(bytesOf(10).fill(255));
    await second.write(content.subarray(8_500_000));
    await second.finish();
    await expectError("PATH_NOT_FOUND", () => files.list(path("resumed")));
    const finished = structuredClone(await second.snapshot());
    await second.commit();
    await second.commit();
    for (const from of [finished, state]) {
      const third = await files.createResumable(path("resumed/part.bin"), { owner, from });
      if (from === state) await third.write(content.subarray(8_500_000));
      await third.commit();
      assert.ok(Buffer.from(content).equals(await contentOf(files, path("resumed/part.bin"))));
    }
    await first.abort();
    await files.discardResumable(path("resumed"), owner);
    await files.discardResumable(path("nothing"), owner);
    assert.is((await files.list(path("resumed"))).length, 1);
  });

  test(`${name}: a file that its writer has left can be gone on with`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const first = await files.createResumable(path("left/part.bin"), { owner });
    await first.write(content.subarray(0, 8_500_000));
    const from = structuredClone(await first.snapshot());
    await first.leave();
    await first.leave();
    await expectError("PATH_NOT_FOUND", () => files.list(path("left")));
    const second = await files.createResumable(path("left/part.bin"), { owner, from });
    await second.write(content.subarray(8_500_000));
    await second.commit();
    assert.ok(Buffer.from(content).equals(await contentOf(files, path("left/part.bin"))));
    await files.discardResumable(path("left"), owner);
  });

  lateWriterContract(test, name, place);

  test(`${name}: a finished file is committed by a later life`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const first = await files.createResumable(path("later/part.bin"), { owner });
    await first.write(content);
    await first.finish();
    const from = structuredClone(await first.snapshot());
    await first.leave();
    const second = await files.createResumable(path("later/part.bin"), { owner, from });
    await second.commit();
    assert.ok(Buffer.from(content).equals(await contentOf(files, path("later/part.bin"))));
    await files.discardResumable(path("later"), owner);
  });
}

function lateWriterContract(test: Suite, name: string, place: () => FilePlace): void {
  test(`${name}: a writer that saves late, and has other bytes, leaves the snapshots of others whole`, async () => {
    const { files, path, full } = place();
    if (!full) return;
    const late = await files.createResumable(path("late/part.bin"), { owner });
    const second = await files.createResumable(path("late/part.bin"), { owner });
    await second.write(content.subarray(0, 1000));
    const from = structuredClone(await second.snapshot());
    await late.write(content.subarray(1000, 2000));
    await late.snapshot();
    const third = await files.createResumable(path("late/part.bin"), { owner, from });
    await third.write(content.subarray(1000));
    await third.commit();
    assert.ok(Buffer.from(content).equals(await contentOf(files, path("late/part.bin"))));
    await late.abort();
    await files.discardResumable(path("late"), owner);
    assert.is((await files.list(path("late"))).length, 1);
  });
}

const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
