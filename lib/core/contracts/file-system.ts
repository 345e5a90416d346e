/** A file as a listing gives it. */
export interface FileEntry {
  /** Path or URL that the same file system opens. */
  readonly path: string;
  readonly bytes: number;
  /** Changes when the content does (modification time, ETag), so that a split can tell that its file was replaced. */
  readonly version: string;
}

/** A file opened for reading by ranges. */
export interface OpenFile {
  readonly entry: FileEntry;
  /** Reads `length` bytes at `position`; fewer only at the end of the file. The buffer is the caller's. */
  read: (position: number, length: number) => Promise<Uint8Array>;
  close: () => Promise<void>;
}

/** A file being written: invisible under its final name until it is committed. */
export interface FileWriter {
  write: (bytes: Uint8Array) => Promise<void>;
  /** Everything is written and flushed; commit can't fail for want of space any more. */
  finish: () => Promise<void>;
  /** Makes the file visible under its final name. */
  commit: () => Promise<void>;
  abort: () => Promise<void>;
}

/**
 * Files by path or URL, reached by range reads. One contract for local paths, http(s):// and s3://; the implementation is
 * chosen by the scheme. Errors are PATH_NOT_FOUND or BAD_INPUT, and name the path.
 */
export interface FileSystem {
  /** The files that a path, folder, glob, URL, or list of them names, sorted by path. Nothing found is PATH_NOT_FOUND. */
  list: (paths: string | readonly string[], signal?: AbortSignal) => Promise<readonly FileEntry[]>;
  open: (entry: FileEntry | string, signal?: AbortSignal) => Promise<OpenFile>;
  create: (path: string) => Promise<FileWriter>;
  /** Removes files; a missing one is no error. */
  remove: (paths: readonly string[]) => Promise<void>;
  /**
   * Removes a folder with all that is in it, also files that were never finished; a missing one is no error. Without it, or
   * where files have no folders, there is nothing beside what `list` names.
   */
  removeFolder?: (path: string) => Promise<void>;
  /** The path of a local file for libraries that read files themselves, or undefined where it isn't local. */
  localPath: (path: string) => string | undefined;
}
