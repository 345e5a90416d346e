import { rmSync } from "node:fs";
import { chmod, mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QStreamError } from "../errors.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { codeOf, makeFolder, noSpace } from "./make-folder.ts";
import { sweepTemporaryFolders, temporaryFolderIn } from "./temporary-folder.ts";

export interface NodeDiskOptions {
  /** Folder in which the disk makes its own folder when the first file is made. Default: the system's temporary folder. */
  readonly folder?: string;
  /** Bytes that the files of this disk may have together. Default: 64 GiB. */
  readonly bytesMax?: number;
}

const bytesMaxDefault = 64 * 2 ** 30;

// Folders that exist now. A process that ends without clearing its disks removes them while it exits.
const openFolders = new Set<string>();

function removeOpenFolders(): void {
  for (const folder of openFolders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // The process ends: what can't be removed now is left to whoever cleans the temporary folder.
    }
  }
  openFolders.clear();
}

/**
 * Temporary files on the machine's own disk, in a folder that only this user can read. The folder is made with the first
 * file, and removed by `clear` or when the process (or worker thread) exits. What processes left there that were killed is
 * removed before.
 *
 * @param options - where, and how much
 * @returns the disk; its errors are LIMIT_EXCEEDED when `bytesMax` is reached or the disk is full, and BAD_INPUT for a
 * folder that can't be made
 */
export function nodeDisk(options: NodeDiskOptions = {}): Disk {
  return new NodeDisk(options.folder ?? tmpdir(), options.bytesMax ?? bytesMaxDefault);
}

class NodeDisk implements Disk {
  readonly #parent: string;
  readonly #bytesMax: number;
  readonly #files = new Set<NodeDiskFile>();
  #folder: Promise<string> | undefined;
  #cleared = false;
  #bytesHeld = 0;
  #fileCount = 0;
  bytesWritten = 0;

  constructor(parent: string, bytesMax: number) {
    this.#parent = parent;
    this.#bytesMax = bytesMax;
  }

  async create(purpose: string): Promise<DiskFile> {
    const folder = await this.#ownFolder();
    const name = `${purpose.replaceAll(/[^\w.-]/gu, "_").slice(0, 64)}-${this.#fileCount++}`;
    const path = join(folder, name);
    const handle = await this.#guard(() => open(path, "wx+", 0o600));
    if (this.#cleared) {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
      throw cleared();
    }
    const file = new NodeDiskFile(path, handle, {
      reserve: (bytes) => this.#reserve(bytes),
      written: (bytes) => void (this.bytesWritten += bytes),
      removed: (removed) => {
        this.#files.delete(removed);
        this.#bytesHeld -= removed.bytes;
      },
      guard: (action) => this.#guard(action),
    });
    this.#files.add(file);
    return file;
  }

  async path(name: string): Promise<string> {
    return join(await this.#ownFolder(), `${this.#fileCount++}-${name.replaceAll(/[^\w.-]/gu, "_").slice(0, 96)}`);
  }

  async clear(): Promise<void> {
    // Who still works for an execution that has ended would make files that nobody removes.
    this.#cleared = true;
    const pending = this.#folder;
    if (pending === undefined) return;
    this.#folder = undefined;
    await Promise.all([...this.#files].map((file) => file.close()));
    this.#files.clear();
    this.#bytesHeld = 0;
    const folder = await pending;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    openFolders.delete(folder);
  }

  #ownFolder(): Promise<string> {
    if (this.#cleared) return Promise.reject(cleared());
    this.#folder ??= this.#guard(async () => {
      await makeFolder(this.#parent);
      await sweepTemporaryFolders(this.#parent);
      const folder = await mkdtemp(temporaryFolderIn(this.#parent));
      if (openFolders.size === 0 && !process.listeners("exit").includes(removeOpenFolders)) {
        process.once("exit", removeOpenFolders);
      }
      openFolders.add(folder);
      await chmod(folder, 0o700);
      return folder;
    }).catch((error: unknown) => {
      this.#folder = undefined;
      throw error;
    });
    return this.#folder;
  }

  #reserve(bytes: number): void {
    if (this.#bytesHeld + bytes > this.#bytesMax) {
      throw new QStreamError(
        "LIMIT_EXCEEDED",
        `temporary files in ${this.#parent} would exceed ${this.#bytesMax} bytes`,
        { advice: "Raise the setting spoolDiskBytes (bytesMax of the disk), or give the execution more memory." },
      );
    }
    this.#bytesHeld += bytes;
  }

  /** Runs a disk action; a disk without space is a limit that was reached, and the message says which. */
  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!noSpace(codeOf(error))) throw error;
      throw new QStreamError("LIMIT_EXCEEDED", `no space is left for temporary files in ${this.#parent}`, {
        advice: "Free space there, or choose another folder with the setting folder of the disk (or TMPDIR).",
        cause: error,
      });
    }
  }
}

function cleared(): QStreamError {
  return new QStreamError("ABORTED", "a temporary file was asked for after the execution had ended");
}

interface DiskAccount {
  readonly reserve: (bytes: number) => void;
  readonly written: (bytes: number) => void;
  readonly removed: (file: NodeDiskFile) => void;
  readonly guard: <T>(action: () => Promise<T>) => Promise<T>;
}

class NodeDiskFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #account: DiskAccount;
  #closed = false;
  bytes = 0;

  constructor(path: string, handle: FileHandle, account: DiskAccount) {
    this.#path = path;
    this.#handle = handle;
    this.#account = account;
  }

  async append(bytes: Uint8Array): Promise<number> {
    // The place is taken before the write starts, so that appends that overlap don't meet.
    this.#account.reserve(bytes.byteLength);
    const position = this.bytes;
    this.bytes += bytes.byteLength;
    let done = 0;
    while (done < bytes.byteLength) {
      const left = bytes.subarray(done);
      const { bytesWritten } = await this.#account.guard(() =>
        this.#handle.write(left, 0, left.byteLength, position + done),
      );
      done += bytesWritten;
      this.#account.written(bytesWritten);
    }
    return position;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.bytes - position)));
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesRead } = await this.#handle.read(bytes, done, bytes.byteLength - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done === bytes.byteLength ? bytes : bytes.subarray(0, done);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async remove(): Promise<void> {
    if (this.#closed) return;
    await this.close();
    await rm(this.#path, { force: true });
    this.#account.removed(this);
  }
}
