import type { Disk, DiskFile } from "../core/seam/disk.ts";

/** Temporary files in memory. */
export class MemoryDisk implements Disk {
  readonly #files = new Set<DiskFile>();
  bytesWritten = 0;

  /** Files that were made and not removed. */
  get files(): number {
    return this.#files.size;
  }

  create(): Promise<DiskFile> {
    const chunks: Buffer[] = [];
    const file = {
      bytes: 0,
      append: (bytes: Uint8Array): Promise<number> => {
        const position = file.bytes;
        chunks.push(Buffer.from(bytes));
        file.bytes += bytes.byteLength;
        this.bytesWritten += bytes.byteLength;
        return Promise.resolve(position);
      },
      read: (position: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(new Uint8Array(Buffer.concat(chunks).subarray(position, position + length))),
      remove: (): Promise<void> => {
        this.#files.delete(file);
        return Promise.resolve();
      },
    };
    this.#files.add(file);
    return Promise.resolve(file);
  }

  path(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  clear(): Promise<void> {
    this.#files.clear();
    return Promise.resolve();
  }
}
