import * as assert from "uvu/assert";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { FileEntry, FileSystem, OpenFile } from "../../lib/core/contracts/file-system.ts";
import { Run, Side, type Reader } from "../../lib/core/contracts/reader.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import type { Suite } from "../kit/suite.ts";

/** A file system that counts the files that are open. */
export interface WatchedFiles extends FileSystem {
  readonly openFiles: number;
  readonly opened: number;
}

export function watchedFiles(files: FileSystem = openFileSystem()): WatchedFiles {
  let openFiles = 0;
  let opened = 0;
  return {
    list: (paths, signal) => files.list(paths, signal),
    create: (path) => files.create(path),
    remove: (paths) => files.remove(paths),
    localPath: (path) => files.localPath(path),
    async open(entry: FileEntry | string, signal?: AbortSignal): Promise<OpenFile> {
      const file = await files.open(entry, signal);
      openFiles += 1;
      opened += 1;
      let closed = false;
      return {
        entry: file.entry,
        read: (position, length) => file.read(position, length),
        async close() {
          if (!closed) openFiles -= 1;
          closed = true;
          await file.close();
        },
      };
    },
    get openFiles() {
      return openFiles;
    },
    get opened() {
      return opened;
    },
  };
}

/** What a reader gave: objects of its main output, and objects of side outputs by name. */
export interface Gathered {
  readonly objects: unknown[];
  readonly sides: Record<string, unknown[]>;
}

/** The splits of a reader for a number of channels. */
export async function splitsOf(
  reader: Reader<unknown>,
  files: FileSystem = openFileSystem(),
  channels = 1,
): Promise<readonly unknown[]> {
  return reader.splits({ channels, files, signal: new AbortController().signal });
}

/** Reads one split. */
export async function readSplit(reader: Reader<unknown>, split: unknown, ctx: Context): Promise<Gathered> {
  const gathered: Gathered = { objects: [], sides: {} };
  for await (const item of reader.read(split, ctx)) {
    if (item instanceof Run) for (const object of item.objects) gathered.objects.push(object);
    else if (item instanceof Side) (gathered.sides[item.name] ??= []).push(item.object);
    else gathered.objects.push(item);
  }
  return gathered;
}

/** Reads all splits, one after the other. */
export async function readAll(
  reader: Reader<unknown>,
  options: { readonly files?: FileSystem; readonly channels?: number; readonly ctx?: Context } = {},
): Promise<Gathered> {
  const files = options.files ?? openFileSystem();
  const ctx = options.ctx ?? testContext({ files });
  const all: Gathered = { objects: [], sides: {} };
  for (const split of await splitsOf(reader, files, options.channels)) {
    const part = await readSplit(reader, split, ctx);
    for (const object of part.objects) all.objects.push(object);
    for (const [side, objects] of Object.entries(part.sides)) (all.sides[side] ??= []).push(...objects);
  }
  return all;
}

const textOf = (object: unknown): string =>
  JSON.stringify(object, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ?? "undefined";

/** The texts of objects, sorted: equal for equal multisets. */
export function multiset(objects: readonly unknown[]): string[] {
  return objects.map((object) => textOf(object)).toSorted();
}

/**
 * What every replayable reader must do. `make` gives a reader of some thousand objects at least, in several splits if the
 * reader has splits; `plain` turns an object of the stream into plain data that compares (batches to their rows).
 */
export function readerContract(
  test: Suite,
  name: string,
  make: () => Reader<unknown> | Promise<Reader<unknown>>,
  plain: (object: unknown) => readonly unknown[] = (object) => [object],
): void {
  const rows = (gathered: Gathered): unknown[] => gathered.objects.flatMap((object) => plain(object));

  test(`${name}: its splits and options are plain data`, async () => {
    const reader = await make();
    const splits = await splitsOf(reader, openFileSystem(), 3);
    assert.equal(structuredClone(splits), splits);
    structuredClone(reader.options);
  });

  test(`${name}: a split that is read twice, or was cloned, gives equal objects in the same order`, async () => {
    const again = await make();
    const reader = await make();
    const files = watchedFiles();
    const ctx = testContext({ files });
    for (const split of await splitsOf(reader, files, 2)) {
      const first = await readSplit(reader, split, ctx);
      const second = await readSplit(again, structuredClone(split), ctx);
      assert.equal(rows(first).map(textOf), rows(second).map(textOf));
      assert.equal(first.sides, second.sides);
    }
    assert.is(files.openFiles, 0);
  });

  test(`${name}: the splits for 1, 2 and 5 channels give the same objects`, async () => {
    const reader = await make();
    const one = multiset(rows(await readAll(reader, { channels: 1 })));
    assert.ok(one.length > 0, "the reader under test gives objects");
    for (const channels of [2, 5]) assert.equal(multiset(rows(await readAll(reader, { channels }))), one);
  });

  test(`${name}: a reading that is left early closes its files`, async () => {
    const reader = await make();
    const files = watchedFiles();
    const [split] = await splitsOf(reader, files, 1);
    for await (const item of reader.read(split, testContext({ files }))) {
      assert.ok(item !== undefined);
      break;
    }
    assert.is(files.openFiles, 0);
  });
}
