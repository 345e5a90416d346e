import { QStreamError } from "../../core/errors.ts";
import { delay, type Clock } from "../../core/seam/clock.ts";
import type { Disk, DiskFile } from "../../core/seam/disk.ts";
import type { Random } from "../../core/seam/random.ts";

export interface VirtualDriveOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds that a write or a read takes at most. */
  readonly mostMs?: number;
  /** Bytes that fit. */
  readonly bytesMax?: number;
}

/** What a machine that was killed leaves of its drive: everything that was written, or nothing. */
export interface Crash {
  readonly keeps: boolean;
}

interface Content {
  readonly name: string;
  readonly purpose: string;
  bytes: Uint8Array;
  /** Bytes that were asked to be written: the place where the next append goes. */
  length: number;
  readonly writing: Set<{ readonly position: number; readonly bytes: Uint8Array }>;
  removed: boolean;
}

const mostMsDefault = 0.5;
const bytesMaxDefault = 1 << 30;
const checkedPurposes: ReadonlySet<string> = new Set(["spool", "sort"]);

/**
 * The drive of a simulated machine: files in memory that take a while to write, and can be slow, full or broken. A write
 * reads its bytes when it ends, so that whoever reuses a buffer before finds other bytes there.
 */
export class VirtualDrive {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #mostMs: number;
  readonly #bytesMax: number;
  readonly #files = new Set<Content>();
  #count = 0;
  #bytesHeld = 0;
  #slowness = 1;
  #full = false;
  #broken = false;
  #dead = false;
  /** How the next read of what has a checksum goes wrong. */
  #damage: "byte" | "length" | undefined;
  /** Files that were written to and read from, by what they are for. */
  readonly #used = { appends: new Map<string, number>(), reads: new Map<string, number>() };

  constructor(options: VirtualDriveOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#mostMs = options.mostMs ?? mostMsDefault;
    this.#bytesMax = options.bytesMax ?? bytesMaxDefault;
  }

  /** Files that there are, with what was written to them. One that is being removed isn't. */
  get files(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
    return [...this.#files].flatMap(({ name, bytes, removed }) => (removed ? [] : [{ name, bytes }]));
  }

  /** A disk on this drive, for one execution or channel. */
  disk(): Disk {
    return new VirtualDisk({
      create: (purpose) => this.#create(purpose),
      append: (content, bytes) => this.#append(content, bytes),
      read: (content, position, length) => this.#read(content, position, length),
      remove: (content) => this.#remove(content),
    });
  }

  /** What is written or read from now on takes so many times as long. */
  slow(factor: number): void {
    this.#slowness = factor;
  }

  /** Nothing more fits, until it is healed. */
  fill(): void {
    this.#full = true;
  }

  /** Writes and reads end with an error of the drive, until it is healed. */
  break(): void {
    this.#broken = true;
  }

  /** The next read of a spool or a sort's run has a wrong byte, or lacks its last. What others spill has no checksum. */
  damage(how: "byte" | "length"): void {
    this.#damage = how;
  }

  /** How often something was asked to be written to files of a purpose, or read from them. */
  count(what: "appends" | "reads", purpose: string): number {
    return this.#used[what].get(purpose) ?? 0;
  }

  heal(): void {
    this.#damage = undefined;
    this.#slowness = 1;
    this.#full = false;
    this.#broken = false;
  }

  /** The machine was killed: nothing ends any more, and of what was being written a part is there, or nothing. */
  crash({ keeps }: Crash): void {
    this.#dead = true;
    if (!keeps) this.#files.clear();
    for (const content of this.#files) {
      for (const { position, bytes } of content.writing) {
        place(content, position, bytes.subarray(0, Math.floor(this.#random() * bytes.byteLength)));
      }
      content.writing.clear();
    }
  }

  async #create(purpose: string): Promise<Content> {
    await this.#wait();
    const name = `${purpose.replaceAll(/[^\w.-]/gu, "_").slice(0, 64)}-${this.#count++}`;
    const content: Content = { name, purpose, bytes: new Uint8Array(0), length: 0, writing: new Set(), removed: false };
    this.#files.add(content);
    return content;
  }

  async #append(content: Content, bytes: Uint8Array): Promise<number> {
    this.#note("appends", content);
    if (this.#full || this.#bytesHeld + bytes.byteLength > this.#bytesMax) throw noSpace();
    this.#bytesHeld += bytes.byteLength;
    const position = content.length;
    content.length += bytes.byteLength;
    const write = { position, bytes };
    content.writing.add(write);
    try {
      await this.#wait();
      if (this.#full) {
        // What a drive that fills up leaves of a write is anybody's guess.
        place(content, position, bytes.subarray(0, Math.floor(this.#random() * bytes.byteLength)));
        throw noSpace();
      }
      place(content, position, bytes);
    } finally {
      content.writing.delete(write);
    }
    return position;
  }

  async #read(content: Content, position: number, length: number): Promise<Uint8Array> {
    this.#note("reads", content);
    await this.#wait();
    if (content.removed) throw new Error(`EBADF: file ${content.name} was removed`);
    const bytes = content.bytes.slice(position, position + Math.max(0, length));
    return checkedPurposes.has(content.purpose) ? this.#damaged(bytes) : bytes;
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    const how = this.#damage;
    if (how === undefined || bytes.byteLength === 0) return bytes;
    this.#damage = undefined;
    if (how === "length") return bytes.subarray(0, -1);
    const at = Math.floor(this.#random() * bytes.byteLength);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(this.#random() * 8));
    return bytes;
  }

  #note(what: "appends" | "reads", { purpose }: Content): void {
    const counts = this.#used[what];
    counts.set(purpose, (counts.get(purpose) ?? 0) + 1);
  }

  async #remove(content: Content): Promise<void> {
    if (content.removed) return;
    content.removed = true;
    await this.#wait(true);
    this.#files.delete(content);
    this.#bytesHeld -= content.length;
  }

  /** Lets the time pass that the drive takes. One that is dead takes for ever. */
  async #wait(always = false): Promise<void> {
    const ms = this.#random() ** 2 * this.#mostMs * this.#slowness;
    await delay(this.#clock, ms);
    if (this.#dead) await new Promise(() => {});
    if (this.#broken && !always) throw Object.assign(new Error("EIO: the drive is broken"), { code: "EIO" });
  }
}

function place(content: Content, position: number, bytes: Uint8Array): void {
  const end = position + bytes.byteLength;
  if (content.bytes.byteLength < end) content.bytes = lengthened(content.bytes, end);
  content.bytes.set(bytes, position);
}

/** The same bytes and zeros behind them, with room for more, so that a file of many appends isn't copied with each. */
function lengthened(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.buffer.byteLength) return new Uint8Array(bytes.buffer, 0, length);
  const larger = new Uint8Array(new ArrayBuffer(Math.max(256, length * 2)), 0, length);
  larger.set(bytes);
  return larger;
}

function noSpace(): QStreamError {
  return new QStreamError("LIMIT_EXCEEDED", "no space is left for temporary files on the simulated drive", {
    advice: "Free space there, or choose another folder with the setting folder of the disk (or TMPDIR).",
    cause: Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
  });
}

interface DriveAccess {
  readonly create: (purpose: string) => Promise<Content>;
  readonly append: (content: Content, bytes: Uint8Array) => Promise<number>;
  readonly read: (content: Content, position: number, length: number) => Promise<Uint8Array>;
  readonly remove: (content: Content) => Promise<void>;
}

class VirtualDisk implements Disk {
  readonly #drive: DriveAccess;
  readonly #contents = new Set<Content>();
  #cleared = false;
  bytesWritten = 0;

  constructor(drive: DriveAccess) {
    this.#drive = drive;
  }

  async create(purpose: string): Promise<DiskFile> {
    this.#refuseCleared();
    const content = await this.#drive.create(purpose);
    if (this.#cleared) await this.#drive.remove(content);
    this.#refuseCleared();
    this.#contents.add(content);
    const drive = this.#drive;
    return {
      append: async (bytes) => {
        const position = await drive.append(content, bytes);
        this.bytesWritten += bytes.byteLength;
        return position;
      },
      read: (position, length) => drive.read(content, position, Math.min(length, content.length - position)),
      get bytes() {
        return content.length;
      },
      remove: () => {
        this.#contents.delete(content);
        return drive.remove(content);
      },
    };
  }

  path(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async clear(): Promise<void> {
    this.#cleared = true;
    const contents = [...this.#contents];
    this.#contents.clear();
    await Promise.all(contents.map((content) => this.#drive.remove(content)));
  }

  #refuseCleared(): void {
    if (!this.#cleared) return;
    throw new QStreamError("ABORTED", "a temporary file was asked for after the execution had ended");
  }
}
