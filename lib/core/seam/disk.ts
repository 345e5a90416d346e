/** Temporary files for spools and spilled state. Names are chosen by the disk; everything is removed by `clear`. */
export interface Disk {
  create: (purpose: string) => Promise<DiskFile>;
  /** A path for a library that writes a file itself; removed with the rest. Undefined where the disk isn't a real one. */
  path: (name: string) => Promise<string | undefined>;
  /** Bytes written so far by everyone who shares this disk's counter. */
  readonly bytesWritten: number;
  /** Removes every file made here. None can be made any more. */
  clear: () => Promise<void>;
}

/** A temporary file: appended to, then read at any place. */
export interface DiskFile {
  /** Appends, and returns the position of the first byte. */
  append: (bytes: Uint8Array) => Promise<number>;
  read: (position: number, length: number) => Promise<Uint8Array>;
  readonly bytes: number;
  remove: () => Promise<void>;
}
