import { open, readdir, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ResumableOptions, ResumableWriter } from "../core/contracts/sink.ts";
import { QStreamError } from "../core/errors.ts";
import { codeOf, makeFolder } from "../core/seam/make-folder.ts";
import { guardWrite, holds, LocalWriter, type LocalFileState } from "./local-writer.ts";

/**
 * Creates a local file that a later life of its owner can go on with, or goes on with one. Each life has a file of its own,
 * numbered, so that the handle of an earlier one that is still open leads to another file; the part up to the checkpoint is
 * copied.
 */
export async function resumeLocal(path: string, { owner, from }: ResumableOptions): Promise<ResumableWriter> {
  const prefix = `.${owner}.${basename(path)}.`;
  if (from === undefined) return new LocalWriter({ path, ...(await freshFile(path, prefix)) });
  const state = from as LocalFileState;
  // It comes from a checkpoint, and is never but a name.
  if (basename(state.temporary) !== state.temporary) throw lost(path, "its checkpoint names a file elsewhere");
  const temporary = join(dirname(path), state.temporary);
  return state.finished ? finishedFile(path, temporary, state) : openFile(path, temporary, prefix, state);
}

/** Removes all of an owner's temporary files in a folder. */
export async function discardLocal(folder: string, owner: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  // A file that is itself hidden is written under a name with one more dot.
  const own = names.filter((name) => name.startsWith(`.${owner}.`) || name.startsWith(`..${owner}.`));
  await Promise.all(own.map((name) => rm(join(folder, name), { force: true })));
}

async function finishedFile(path: string, temporary: string, state: LocalFileState): Promise<ResumableWriter> {
  const bytes = await stat(temporary).then(
    ({ size }) => size,
    (error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    },
  );
  const there = bytes === undefined ? await holds(path, state, true) : bytes === state.bytes;
  if (there) return new LocalWriter({ path, temporary, handle: undefined, written: state });
  throw lost(path, bytes === undefined ? "it isn't there any more" : `it has ${bytes} bytes instead of ${state.bytes}`);
}

async function openFile(
  path: string,
  temporary: string,
  prefix: string,
  state: LocalFileState,
): Promise<ResumableWriter> {
  // An earlier life may have finished and committed the file after the checkpoint.
  const sources = [temporary, path];
  for (const source of sources) {
    if (!(await holds(source, state, false))) continue;
    const fresh = await freshFile(path, prefix);
    try {
      await guardWrite(path, () => copy(source, fresh.handle, state.bytes));
    } catch (error) {
      await fresh.handle.close();
      await rm(fresh.temporary, { force: true });
      throw error;
    }
    return new LocalWriter({ path, ...fresh, written: state });
  }
  throw lost(path, `its first ${state.bytes} bytes aren't there any more, or changed`);
}

const lives = 10_000;

/** Opens a file that no other life has, under the first number that is free. */
async function freshFile(
  path: string,
  prefix: string,
): Promise<{ readonly temporary: string; readonly handle: FileHandle }> {
  return guardWrite(path, async () => {
    await makeFolder(dirname(path), path);
    for (let life = 0; life < lives; life += 1) {
      const temporary = join(dirname(path), `${prefix}${life}`);
      try {
        return { temporary, handle: await open(temporary, "wx") };
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
    throw new Error(`${lives} temporary files of it are there`);
  });
}

const copyBytes = 1 << 20;

async function copy(source: string, target: FileHandle, bytes: number): Promise<void> {
  const handle = await open(source, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(copyBytes, bytes));
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, bytes - at), at);
      if (bytesRead === 0) throw new Error(`it ends at byte ${at} of ${bytes}`);
      // Moves the place at which later writes go on.
      await target.writeFile(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function lost(file: string, what: string): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `a file that was being written can't be gone on with: ${what}`, {
    file,
    advice: "Run the flow again from its start, and leave hidden files of a running execution alone.",
  });
}
