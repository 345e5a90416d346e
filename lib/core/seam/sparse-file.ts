import { open, rm } from "node:fs/promises";

/** A temporary file of a given length, written at any places; what wasn't written reads as zeros and takes no room. */
export interface SparseFile {
  readonly path: string;
  write: (position: number, bytes: Uint8Array) => Promise<void>;
  /** Nothing more is written: other libraries may open it. */
  close: () => Promise<void>;
  remove: () => Promise<void>;
}

/** Makes a sparse file, readable by this user only, in place of what was at its path. */
export async function createSparseFile(path: string, length: number): Promise<SparseFile> {
  const handle = await open(path, "w", 0o600);
  await handle.truncate(length);
  return {
    path,
    async write(position, bytes) {
      for (let done = 0; done < bytes.byteLength;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
        done += bytesWritten;
      }
    },
    close: () => handle.close(),
    remove: () => rm(path, { force: true }),
  };
}
