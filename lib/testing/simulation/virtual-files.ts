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
  /** What is wrong with one of the places that files are in. */
  readonly trouble?: PlaceTrouble | undefined;
}

/** A place of files, and what is wrong with it. */
export class PlaceTrouble {
  /** The folder that it is about. */
  readonly path: string;
  /** It can't be reached. */
  away = false;
  /** What is written there or read from there takes so many milliseconds at most. */
  slowMs = 0;
  /** Calls that ended with an error because of it. */
  refused = 0;

  constructor(path: string) {
    this.path = path;
  }

  heal(): void {
    this.away = false;
    this.slowMs = 0;
  }

  /** True for what is in the place. */
  holds(path: string): boolean {
    return path.startsWith(`${this.path}/`);
  }
}

const mostMsDefault = 0.3;
/** What is made durable takes so many times as long as a write. */
const durableFactor = 10;

/**
 * The files of users as a simulated slot reaches them. Reading takes no virtual time, as it may be done in the real world;
 * writing takes a little. A slot that is dead gets no answer, and does nothing more.
 */
export function filesInVirtualTime(
  files: FileSystem & ResumableFiles,
  { clock, random, life, mostMs = mostMsDefault, trouble }: VirtualFilesOptions,
): FileSystem & ResumableFiles {
  const read = <T>(action: () => Promise<T>): Promise<T> => {
    return life.dead ? new Promise(() => {}) : life.settle(clock.real(action));
  };
  const write = async <T>(action: () => Promise<T>, factor = 1): Promise<T> => {
    await delay(clock, random() ** 2 * mostMs * factor);
    return read(action);
  };
  /** The same for what may be in a place that is in trouble. */
  const reach = async <T>(path: string, how: typeof read, action: () => Promise<T>): Promise<T> => {
    if (trouble?.holds(path) === true && (trouble.away || trouble.slowMs > 0)) {
      await delay(clock, random() * trouble.slowMs);
      if (trouble.away) trouble.refused++;
      if (trouble.away) return life.settle(Promise.reject(new Error(`EIO: ${trouble.path} can't be reached`)));
    }
    return how(action);
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
    snapshot: () => write(() => writer.snapshot(), durableFactor),
    leave: () => write(() => writer.leave(), durableFactor),
  });
  return {
    list: (paths, signal) => reach(String(paths), read, () => files.list(paths, signal)),
    open: async (entry, signal) =>
      opened(await reach(typeof entry === "string" ? entry : entry.path, read, () => files.open(entry, signal))),
    create: async (path) => written(await reach(path, write, () => files.create(path))),
    createResumable: async (path, options) => resumable(await write(() => files.createResumable(path, options))),
    discardResumable: (folder, owner) => write(() => files.discardResumable(folder, owner)),
    remove: (paths) => reach(paths[0] ?? "", write, () => files.remove(paths)),
    removeFolder: (path) => reach(path, write, async () => files.removeFolder?.(path)),
    localPath: (path) => files.localPath(path),
  };
}
