import type { FileEntry, FileWriter, OpenFile } from "../core/contracts/file-system.ts";
import type { ResumableFiles } from "../core/contracts/sink.ts";

/** What each scheme's file system does for one path. */
export interface SchemeFileSystem extends ResumableFiles {
  list: (path: string, signal?: AbortSignal) => Promise<readonly FileEntry[]>;
  open: (entry: FileEntry | string, signal?: AbortSignal) => Promise<OpenFile>;
  create: (path: string) => Promise<FileWriter>;
  remove: (paths: readonly string[]) => Promise<void>;
  /** Where there are folders: removes one with all that is in it. */
  removeFolder?: (path: string) => Promise<void>;
}
