import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { loadBatches, representationOf } from "../../lib/core/batch/index.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { nodeDisk } from "../../lib/core/seam/node-disk.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import type { Suite } from "../kit/suite.ts";

export interface RunSinkOptions {
  readonly execution?: string;
  /** How it ends: `commit` (default), `abort`, or `open`, where channels are done and nothing is committed. */
  readonly end?: "commit" | "abort" | "open";
  /** Objects of one write; all at once unless told. */
  readonly size?: number;
}

/** Runs a sink by hand: a channel for each list, as an execution would. Without a commit there is no result. */
export async function runSink<T, Result>(
  sink: OutputSink<T, Result>,
  lists: readonly (readonly T[])[],
  options: RunSinkOptions = {},
): Promise<Result | undefined> {
  const { execution = "e1", end = "commit", size = Infinity } = options;
  const files = openFileSystem();
  const spill = nodeDisk();
  const opened: SinkChannel<T>[] = [];
  try {
    if (lists.flat().some((object) => representationOf(object) !== undefined)) await loadBatches();
    await sink.prepare?.({ files, execution });
    const contexts = lists.map((_, channel) =>
      testContext({ execution, channel, channels: lists.length, files, spill }),
    );
    const channels = await Promise.all(contexts.map(async (ctx) => sink.open(ctx)));
    opened.push(...channels);
    const parts: unknown[] = [];
    for (const [index, channel] of channels.entries()) {
      const [list = [], ctx = testContext()] = [lists[index], contexts[index]];
      for (let from = 0; from < list.length; from += size, ctx.seq += 1) {
        await channel.write(list.slice(from, from + size), ctx);
        await channel.committed?.(ctx.seq);
      }
      if (end !== "abort") parts.push(await channel.done?.(ctx));
    }
    if (end === "abort") for (const channel of channels) await channel.abort?.();
    if (end !== "commit") return undefined;
    for (const channel of channels) await channel.commit?.();
    for (const channel of channels) await channel.commit?.();
    return await sink.result(parts);
  } catch (error) {
    for (const channel of opened) await channel.abort?.();
    throw error;
  } finally {
    await spill.clear();
  }
}

/** Makes a folder for one test, and removes it afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "qstream-sink-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All files of a folder by name, also hidden ones, with their bytes. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const contents = await Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, name))).toString("latin1")] as const),
  );
  return Object.fromEntries(contents.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What every sink keeps to. */
export function sinkContract<T>(
  test: Suite,
  make: () => OutputSink<T, unknown>,
  lists: readonly (readonly T[])[],
): void {
  test("says its kind, guarantee, placement and options", () => {
    const { kind, guarantee, placement, options } = make();
    assert.ok(kind.length > 0);
    assert.ok(["idempotent", "transactional", "at-least-once"].includes(guarantee));
    assert.ok(["client", "single", "per-slot", "with-producer"].includes(placement));
    assert.equal(structuredClone(options), options);
  });

  test("gives the same result however the objects are batched", async () => {
    assert.equal(await runSink(make(), lists, { size: 1 }), await runSink(make(), lists));
  });

  test("gives a result when no channel got an object", async () => {
    assert.ok(
      (await runSink(
        make(),
        lists.map(() => []),
      )) !== undefined,
    );
  });

  test("can be aborted after anything", async () => {
    await runSink(make(), lists, { end: "abort" });
    await runSink(
      make(),
      lists.map(() => []),
      { end: "abort" },
    );
  });
}

/** What every file sink keeps to, beside `sinkContract`. */
export function fileSinkContract<T>(test: Suite, make: MakeFileSink<T>, lists: readonly (readonly T[])[]): void {
  test("shows nothing under a final name before the commit", () =>
    inFolder(async (folder) => {
      await runSink(make(folder), lists, { end: "open" });
      assert.equal(
        Object.keys(await contentsOf(folder)).filter((name) => !name.startsWith(".")),
        [],
      );
    }));

  test("leaves nothing when it is aborted", () =>
    inFolder(async (folder) => {
      await runSink(make(folder), lists, { end: "abort" });
      assert.equal(await contentsOf(folder), {});
    }));

  test("writes the same names and bytes when it is repeated", () =>
    inFolder(async (folder) => {
      const [one, two] = [join(folder, "one"), join(folder, "two")];
      await runSink(make(one), lists, { execution: "e1" });
      await runSink(make(two), lists, { execution: "e2" });
      const written = await contentsOf(one);
      assert.ok(Object.keys(written).every((name) => /^part-\d{5}\.\w+$/u.test(name)));
      assert.equal(await contentsOf(two), written);
    }));

  test("lists its files, with their rows and bytes", () =>
    inFolder(async (folder) => {
      const result = (await runSink(make(folder), lists)) as { files: string[]; rows: number; bytes: number };
      const written = await contentsOf(folder);
      assert.equal(
        result.files.toSorted(),
        Object.keys(written).map((name) => `${folder}/${name}`),
      );
      assert.is(
        result.bytes,
        Object.values(written).reduce((sum, text) => sum + text.length, 0),
      );
    }));

  test("cuts files by rows, and writes none for a channel without objects", () =>
    inFolder(async (folder) => {
      await runSink(make(folder, { rowsPerFile: 1 }), [lists[0] ?? [], []]);
      const names = Object.keys(await contentsOf(folder));
      assert.equal(names.length, lists[0]?.length);
      assert.ok(
        names.every((name) => Number(/\d+/u.exec(name)?.[0]) % 2 === 0),
        names.join(),
      );
    }));

  existingFilesContract(test, make, lists);
}

type MakeFileSink<T> = (
  path: string,
  options?: { ifExists?: "error" | "overwrite" | "append"; rowsPerFile?: number },
) => OutputSink<T, unknown>;

function existingFilesContract<T>(test: Suite, make: MakeFileSink<T>, lists: readonly (readonly T[])[]): void {
  const refused = (error: unknown): boolean => error instanceof QStreamError && error.code === "SINK_TARGET_EXISTS";

  test("refuses, replaces or adds to files that are there, as it is told", () =>
    inFolder(async (folder) => {
      await runSink(make(folder, { rowsPerFile: 1 }), lists, { execution: "first" });
      const before = await contentsOf(folder);
      for (const target of [folder, `${folder}/${Object.keys(before)[0] ?? ""}`]) {
        try {
          await runSink(make(target), lists);
          assert.unreachable();
        } catch (error) {
          assert.ok(refused(error), String(error));
        }
      }
      await runSink(make(folder, { ifExists: "append" }), lists, { execution: "second" });
      const both = await contentsOf(folder);
      for (const [name, text] of Object.entries(before)) assert.is(both[name], text);
      assert.is(Object.keys(both).length, Object.keys(before).length + lists.length);
      await runSink(make(folder, { ifExists: "overwrite" }), lists, { execution: "failed", end: "abort" });
      assert.equal(await contentsOf(folder), both);
      await runSink(make(folder, { ifExists: "overwrite" }), lists, { execution: "third" });
      assert.is(Object.keys(await contentsOf(folder)).length, lists.length);
    }));
}
