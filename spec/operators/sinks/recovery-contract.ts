import * as fc from "fast-check";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import type { FileSinkOptions } from "../../../operators/sinks/files/format.ts";
import { contentsOf, inFolder } from "../../contract/sink.ts";
import type { Suite } from "../../kit/suite.ts";
import { filesResume, Lives } from "./lives.ts";

export type MakeSink = (path: string, options?: FileSinkOptions) => OutputSink<unknown, unknown>;

const rowsOfTasks = [3, 1, 4, 2, 5, 1];
const size = rowsOfTasks.length;
let made = 0;
/** Tasks of a few objects each. */
export const objectTasks = rowsOfTasks.map((rows) =>
  Array.from({ length: rows }, () => ({ id: made++, text: `row ${made}`.repeat(made % 3), none: null })),
);
/** Objects of which a checkpoint can't hold many itself. */
export const wideTasks = objectTasks.map((rows) => rows.map((row) => ({ ...row, wide: "wide ".repeat(8_000) })));

/** What a channel leaves: its files by name, as the sink's own reader or the bytes show them, and the result. */
export interface Left {
  readonly result: unknown;
  readonly files: Readonly<Record<string, unknown>>;
}

/** What is left of one channel, whatever happens to its lives before the last. */
export async function leaves(
  make: MakeSink,
  tasks: readonly (readonly unknown[])[],
  options: FileSinkOptions,
  before: (lives: Lives, folder: string) => Promise<unknown>,
): Promise<Left> {
  let left: Left = { result: undefined, files: {} };
  await inFolder(async (folder) => {
    const lives = new Lives(make(folder, options), tasks);
    try {
      await before(lives, folder);
      const { result } = (await lives.end()) as { result: { files: readonly string[] } };
      left = {
        result: { ...result, files: result.files.map((file) => file.slice(folder.length)) },
        files: seen(await contentsOf(folder)),
      };
    } finally {
      await lives.close();
    }
  });
  return left;
}

/** Where files can't be gone on with, nobody knows the temporary files of lost lives: those may stay, under hidden names. */
function seen(files: Readonly<Record<string, string>>): Left["files"] {
  return Object.fromEntries(Object.entries(files).filter(([name]) => filesResume || !name.startsWith(".")));
}

export const nothing = (): Promise<void> => Promise.resolve();

/**
 * What every file sink leaves when channels are lost: the same as without a loss, byte by byte. Batches are encoded for a
 * checkpoint and may then be laid out differently, so for them `rowsOf` reads what is compared.
 */
export function recoveryContract(test: Suite, make: MakeSink, rowsOf: (left: Left) => unknown): void {
  test("a channel that is lost at any point after any checkpoint leaves the same", async () => {
    for (const options of [{}, { rowsPerFile: 5 }]) {
      const expected = await leaves(make, objectTasks, options, nothing);
      for (let saved = 0; saved <= size; saved += 1) {
        const lost = saved % 2 === 0 ? size : Math.min(saved + 1, size);
        const left = await leaves(make, objectTasks, options, (lives) => lives.lose(saved, lost));
        assert.equal(left, expected, `checkpoint after ${saved} tasks, lost after ${lost}`);
      }
    }
  });

  test("batches and wide rows are recovered alike", async () => {
    const batches = await loadBatches();
    const options = { rowsPerFile: 7 };
    const batchTasks = (["arrow", "polars"] as const).map((as) =>
      objectTasks.map((rows) => [batches.fromObjects(rows, as)]),
    );
    for (const tasks of [...batchTasks, wideTasks]) {
      const expected = rowsOf(await leaves(make, tasks, options, nothing));
      const left = await leaves(make, tasks, options, async (lives) => {
        await lives.lose(2, 3);
        await lives.lose(4, 6);
        await lives.lose(5, 5);
      });
      assert.equal(rowsOf(left), expected);
    }
  });

  recoveryOfManyLives(test, make);
}

function recoveryOfManyLives(test: Suite, make: MakeSink): void {
  test("lives that end at random, and write on when they should be gone, leave the same", async () => {
    const options = { rowsPerFile: 5 };
    const expected = await leaves(make, objectTasks, options, nothing);
    const life = fc.record({ works: fc.nat(3), saves: fc.boolean(), beyond: fc.nat(3), late: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (script) => {
        const left = await leaves(make, objectTasks, options, async (lives) => {
          let late: (() => Promise<void>) | undefined;
          for (const { works, saves, beyond, late: writesOn } of script) {
            const begun = await lives.begin();
            const saved = Math.min(size, begun.next + works);
            await lives.write(begun, begun.next, saved);
            if (saves) await lives.save(begun, saved);
            const lost = Math.min(size, saved + beyond);
            await lives.write(begun, saved, lost);
            await late?.();
            late = writesOn ? () => lives.write(begun, lost, size) : undefined;
          }
          // The last of them writes on while the life after it is open.
          const open = await lives.begin();
          await lives.write(open, open.next, size);
          await late?.();
        });
        assert.equal(left, expected);
      }),
      { numRuns: 6 },
    );
  });

  test("a commit that was cut off, or came to its end, is repeated by the next life", async () => {
    const options = { rowsPerFile: 5 };
    for (const tasks of [objectTasks, wideTasks]) {
      const expected = await leaves(make, tasks, options, nothing);
      for (const saved of [0, 4, size]) {
        for (const committed of [1, 2, Infinity]) {
          const left = await leaves(make, tasks, options, async (lives, folder) => {
            const { channel, ctx } = await lives.lose(saved, size);
            await channel.done?.(ctx);
            if (committed === Infinity) await channel.commit?.();
            else await cutOffCommit(folder, committed);
          });
          assert.equal(left, expected, `checkpoint after ${saved} tasks, ${committed} files committed`);
        }
      }
    }
  });
}

/** Gives some finished files their final names, as a commit does that is cut off. */
async function cutOffCommit(folder: string, files: number): Promise<void> {
  const hidden = (await readdir(folder)).filter((name) => /\.part-\d+\.[a-z]+\.[\w-]+$/u.test(name)).toSorted();
  for (const name of hidden.slice(0, files)) {
    await rename(join(folder, name), join(folder, /part-\d+\.[a-z]+/u.exec(name)?.[0] ?? ""));
  }
}
