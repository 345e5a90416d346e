import { crc32 } from "node:zlib";
import { encodeObjects } from "../../lib/core/codec/index.ts";
import { loadedBatches, representationOf } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Limits } from "../../lib/core/limits.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { Disk, DiskFile } from "../../lib/core/seam/disk.ts";
import { encodeMark, Mark } from "./mark.ts";
import type { Parcel } from "./parcel.ts";

/** What the spools of a slot share: memory, then disk, both bounded. */
export class SpoolBudget {
  readonly disk: Disk;
  readonly memoryBytesMax: number;
  readonly diskBytesMax: number;
  memoryBytes = 0;
  diskBytes = 0;
  /** Parcels on their way to disk, or from it: however long the disk takes, something is going to happen. */
  parcelsMoving = 0;

  constructor(disk: Disk, limits: Pick<Limits, "spoolMemoryBytes" | "spoolDiskBytes">) {
    this.disk = disk;
    this.memoryBytesMax = limits.spoolMemoryBytes;
    this.diskBytesMax = limits.spoolDiskBytes;
  }
}

export interface SpoolEvents {
  /** Bytes went to disk. */
  readonly spilled: (bytes: number) => void;
  readonly failed: (error: unknown) => void;
  /** A write ended: the producer may go on, and what was written can be sent. */
  readonly settled: () => void;
}

type Entry =
  | { readonly kind: "memory"; readonly parcel: Parcel }
  | {
      readonly kind: "disk";
      readonly parcel: Omit<Parcel, "content">;
      readonly format: Payload["format"];
      readonly position: number;
      readonly length: number;
      readonly checksum: number;
    };

/**
 * Parcels of a link whose consumer is blocked by a stage, kept by the producer: in memory, then on disk. First in, first
 * out. Writes and reads are queued one after the other, so that the order of parcels can't change.
 */
export class Spool {
  readonly #budget: SpoolBudget;
  readonly #events: SpoolEvents;
  #entries: Entry[] = [];
  #head = 0;
  #writing: Promise<void> = Promise.resolve();
  #file: DiskFile | undefined;
  #diskBytes = 0;
  /** What is on its way to disk, oldest first. */
  readonly #unwritten: Parcel[] = [];
  #draining = false;
  /** Seq before the first parcel that couldn't be written: it isn't here, and nothing that comes after it is sent. */
  #lostAfter: number | undefined;
  /** Nothing is sent any more: what is still on its way from or to disk doesn't matter, and its file may be gone. */
  #closed = false;

  constructor(budget: SpoolBudget, events: SpoolEvents) {
    this.#budget = budget;
    this.#events = events;
  }

  get empty(): boolean {
    const held = this.#head < this.#entries.length || this.#unwritten.length > 0;
    return !held && !this.#draining && this.#lostAfter === undefined;
  }

  /** True while bytes wait to be written: the producer holds back, so that they don't pile up. */
  get writing(): boolean {
    return this.#unwritten.length > 0;
  }

  /** Seq of the parcel before the first one that is here, if any is. */
  get heldAfter(): number | undefined {
    return this.#entries[this.#head]?.parcel.previous ?? this.#lostAfter ?? this.#unwritten[0]?.previous;
  }

  add(parcel: Parcel): void {
    if (this.#unwritten.length === 0 && this.#budget.memoryBytes + parcel.bytes <= this.#budget.memoryBytesMax) {
      this.#budget.memoryBytes += parcel.bytes;
      this.#entries.push({ kind: "memory", parcel });
      return;
    }
    this.#unwritten.push(parcel);
    this.#budget.parcelsMoving++;
    this.#writing = this.#writing
      .then(() => (this.#closed || this.#lostAfter !== undefined ? undefined : this.#write(parcel)))
      .catch((error: unknown) => {
        if (this.#closed) return;
        this.#lostAfter = parcel.previous;
        this.#events.failed(error);
      })
      .finally(() => {
        this.#unwritten.shift();
        this.#budget.parcelsMoving--;
        this.#events.settled();
      });
  }

  async drain(wanted: () => boolean, deliver: (parcel: Parcel) => void): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (wanted()) {
        const entry = this.#entries[this.#head];
        if (entry === undefined) {
          if (this.#unwritten.length === 0) return;
          await this.#writing;
          continue;
        }
        const parcel = entry.kind === "memory" ? entry.parcel : await this.#read(entry);
        // While it was read, the consumer may have been lost, or have said that it wants no more.
        if (!wanted()) return;
        this.#forget(entry);
        deliver(parcel);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#draining = false;
    }
  }

  /** Nothing is sent any more. */
  clear(): void {
    this.#closed = true;
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (entry?.kind === "memory") this.#budget.memoryBytes -= entry.parcel.bytes;
    }
    this.#entries = [];
    this.#head = 0;
    const file = this.#file;
    this.#file = undefined;
    this.#budget.diskBytes -= this.#diskBytes;
    this.#diskBytes = 0;
    void file?.remove().catch(this.#events.failed);
  }

  async #write(parcel: Parcel): Promise<void> {
    const payload = "payload" in parcel.content ? parcel.content.payload : encodeContent(parcel.content.objects);
    const bytes = new Uint8Array(payload.bytes);
    if (this.#budget.diskBytes + bytes.length > this.#budget.diskBytesMax) {
      throw new QStreamError(
        "LIMIT_EXCEEDED",
        `the spools of a slot need more than ${this.#budget.diskBytesMax} bytes of disk`,
        {
          advice: "Raise limits.spoolDiskBytes, or read the other input first with stages",
        },
      );
    }
    this.#file ??= await this.#budget.disk.create("spool");
    if (this.#closed) return;
    const position = await this.#file.append(bytes);
    if (this.#closed) return;
    this.#budget.diskBytes += bytes.length;
    this.#diskBytes += bytes.length;
    this.#events.spilled(bytes.length);
    const { content: _content, ...rest } = parcel;
    this.#entries.push({
      kind: "disk",
      parcel: rest,
      format: payload.format,
      position,
      length: bytes.length,
      checksum: crc32(bytes),
    });
  }

  async #read(entry: Extract<Entry, { kind: "disk" }>): Promise<Parcel> {
    this.#budget.parcelsMoving++;
    const reading = (this.#file as DiskFile).read(entry.position, entry.length);
    const bytes = await reading.finally(() => this.#budget.parcelsMoving--);
    if (bytes.length !== entry.length || crc32(bytes) !== entry.checksum) throw damaged(entry.length, bytes.length);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return { ...entry.parcel, content: { payload: { format: entry.format, rows: entry.parcel.rows, bytes: buffer } } };
  }

  #forget(entry: Entry): void {
    if (entry.kind === "memory") this.#budget.memoryBytes -= entry.parcel.bytes;
    this.#entries[this.#head] = undefined as unknown as Entry;
    this.#head++;
    if (this.#head < this.#entries.length) return;
    this.#entries = [];
    this.#head = 0;
  }
}

function damaged(expected: number, found: number): QStreamError {
  const what = expected === found ? "its bytes are others" : `${found} of ${expected} bytes are there`;
  return new QStreamError("SPOOL_DAMAGED", `a parcel on disk isn't what was written: ${what}`, {
    advice: "Look at the disk that holds temporary files. With a store, what was on it is made again",
  });
}

/** What leaves a slot, or goes to disk. */
export function encodeContent(objects: readonly unknown[]): Payload {
  if (objects[0] instanceof Mark) return encodeMark(objects[0]);
  const batches = representationOf(objects[0]) === undefined ? undefined : loadedBatches();
  return batches === undefined ? encodeObjects(objects) : batches.encode(objects[0]);
}
