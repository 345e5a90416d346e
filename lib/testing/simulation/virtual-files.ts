import type { FileSystem, FileWriter, OpenFile } from "../../core/contracts/file-system.ts";
import type { Life } from "./life.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/**
 * The files of users as a simulated slot reaches them: real ones, for which virtual time stands still. A slot that is dead
 * gets no answer, and does nothing more.
 */
export function filesInVirtualTime(files: FileSystem, clock: VirtualClock, life: Life): FileSystem {
  const real = <T>(action: () => Promise<T>): Promise<T> => {
    return life.dead ? new Promise(() => {}) : life.settle(clock.real(action));
  };
  const opened = (file: OpenFile): OpenFile => ({
    entry: file.entry,
    read: (position, length) => real(() => file.read(position, length)),
    close: () => real(() => file.close()),
  });
  const written = (writer: FileWriter): FileWriter => ({
    write: (bytes) => real(() => writer.write(bytes)),
    finish: () => real(() => writer.finish()),
    commit: () => real(() => writer.commit()),
    abort: () => real(() => writer.abort()),
  });
  return {
    list: (paths, signal) => real(() => files.list(paths, signal)),
    open: async (entry, signal) => opened(await real(() => files.open(entry, signal))),
    create: async (path) => written(await real(() => files.create(path))),
    remove: (paths) => real(() => files.remove(paths)),
    localPath: (path) => files.localPath(path),
  };
}
