import type { FileSystem, FileWriter, OpenFile } from "../../core/contracts/file-system.ts";
import type { ResumableFiles, ResumableWriter } from "../../core/contracts/sink.ts";
import { delay } from "../../core/seam/clock.ts";
import type { Random } from "../../core/seam/random.ts";
import type { Life } from "./life.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface VirtualFilesOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** Of the slot that reaches for them. */
  readonly life: Life;
  /** Milliseconds that a write takes at most. */
  readonly mostMs?: number;
}

const mostMsDefault = 0.3;

/**
 * The files of users as a simulated slot reaches them. Reading takes no virtual time, as it may be done in the real world;
 * writing takes a little. A slot that is dead gets no answer, and does nothing more.
 */
export function filesInVirtualTime(
  files: FileSystem & ResumableFiles,
  { clock, random, life, mostMs = mostMsDefault }: VirtualFilesOptions,
): FileSystem & ResumableFiles {
  const read = <T>(action: () => Promise<T>): Promise<T> => {
    return life.dead ? new Promise(() => {}) : life.settle(clock.real(action));
  };
  const write = async <T>(action: () => Promise<T>): Promise<T> => {
    await delay(clock, random() ** 2 * mostMs);
    return read(action);
  };
  const opened = (file: OpenFile): OpenFile => ({
    entry: file.entry,
    read: (position, length) => read(() => file.read(position, length)),
    close: () => read(() => file.close()),
  });
  const written = (writer: FileWriter): FileWriter => ({
    write: (bytes) => write(() => writer.write(bytes)),
    finish: () => write(() => writer.finish()),
    commit: () => write(() => writer.commit()),
    abort: () => write(() => writer.abort()),
  });
  const resumable = (writer: ResumableWriter): ResumableWriter => ({
    ...written(writer),
    snapshot: () => write(() => writer.snapshot()),
  });
  return {
    list: (paths, signal) => read(() => files.list(paths, signal)),
    open: async (entry, signal) => opened(await read(() => files.open(entry, signal))),
    create: async (path) => written(await write(() => files.create(path))),
    createResumable: async (path, options) => resumable(await write(() => files.createResumable(path, options))),
    discardResumable: (folder, owner) => write(() => files.discardResumable(folder, owner)),
    remove: (paths) => write(() => files.remove(paths)),
    localPath: (path) => files.localPath(path),
  };
}
