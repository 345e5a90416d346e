import { crc32 } from "node:zlib";
import { ByteBuffer } from "flatbuffers";
import type { Cause, Consumed, Produced, TaskRecord } from "../contracts/lineage.ts";
import { Record } from "./generated/record.ts";

export const consumedBytes = 24;
export const producedBytes = 16;
export const checksumBytes = 4;

// Forms are few, but for steps with many links whose tasks send now on these, now on those.
const templatesMax = 1000;
const partsMax = 64;
const reading = Symbol("reading");

/** Records of one form differ in numbers alone, each of which has its place. */
class RecordTemplate {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #seq: number;
  readonly #now: number;
  readonly #position: number;
  readonly #split: number;
  readonly #count: number;
  readonly #taken: number;
  readonly #more: number;
  readonly #consumed: number;
  readonly #produced: number;

  /** @param bytes - a record of this form in which no field was left out for having its default */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const buffer = new ByteBuffer(bytes);
    const { bb_pos: start } = Record.getRootAsRecord(buffer);
    // The number of a field in record.fbs; 0 for one that records of this form don't have.
    const placeOf = (field: number): number => {
      const offset = buffer.__offset(start, 4 + 2 * field);
      return offset === 0 ? 0 : start + offset;
    };
    const vectorAt = (place: number): number => (place === 0 ? 0 : buffer.__vector(place));
    this.#seq = placeOf(0);
    this.#now = placeOf(1);
    this.#position = placeOf(2);
    this.#split = placeOf(3);
    this.#count = placeOf(4);
    this.#taken = placeOf(5);
    this.#consumed = vectorAt(placeOf(7));
    this.#produced = vectorAt(placeOf(8));
    this.#more = placeOf(11);
  }

  fill({ seq, now, cause, consumed, produced, taken, more }: TaskRecord): Uint8Array {
    const view = this.#view;
    view.setFloat64(this.#seq, seq, true);
    if (now !== undefined) view.setFloat64(this.#now, now, true);
    view.setUint8(this.#more, more ? 1 : 0);
    view.setUint32(this.#taken, taken, true);
    if (cause.kind === "read") {
      view.setFloat64(this.#position, cause.position, true);
      view.setUint32(this.#split, cause.split, true);
      view.setUint32(this.#count, cause.count, true);
    }
    this.#fillConsumed(consumed);
    this.#fillProduced(produced);
    return sealed(this.#bytes);
  }

  #fillConsumed(runs: readonly Consumed[]): void {
    let at = this.#consumed;
    for (const { firstSeq, lastSeq, edge, from } of runs) {
      this.#view.setFloat64(at, firstSeq, true);
      this.#view.setFloat64(at + 8, lastSeq, true);
      this.#view.setUint32(at + 16, edge, true);
      this.#view.setUint32(at + 20, from, true);
      at += consumedBytes;
    }
  }

  #fillProduced(parts: readonly Produced[]): void {
    let at = this.#produced;
    for (const { edge, to, objects, checksum } of parts) {
      this.#view.setUint32(at, edge, true);
      this.#view.setUint32(at + 4, to, true);
      this.#view.setUint32(at + 8, objects, true);
      this.#view.setUint32(at + 12, checksum, true);
      at += producedBytes;
    }
  }
}

/** A copy of a record's bytes, with their CRC-32 behind them: a byte that a store gives back wrongly is found. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.byteLength;
  const copy = new Uint8Array(end + checksumBytes);
  copy.set(bytes);
  const checksum = crc32(bytes);
  copy[end] = checksum;
  copy[end + 1] = checksum >>> 8;
  copy[end + 2] = checksum >>> 16;
  copy[end + 3] = checksum >>> 24;
  return copy;
}

/**
 * The forms of records that are written again and again: of tasks that read or took parcels. To write over an earlier one takes
 * a tenth of the time that building one takes.
 */
export class RecordTemplates {
  readonly #byInput = new Map<string | symbol, Map<number, RecordTemplate>>();
  readonly #build: (record: TaskRecord) => Uint8Array;
  #size = 0;

  /** @param build - makes a record whose fields are all there, though they have their default */
  constructor(build: (record: TaskRecord) => Uint8Array) {
    this.#build = build;
  }

  /** The record's bytes; undefined for one that is of no common form. */
  encode(record: TaskRecord): Uint8Array | undefined {
    const { cause, consumed, produced, content, now } = record;
    const input = inputOf(cause);
    if (input === undefined || content !== undefined) return undefined;
    if (consumed.length > partsMax || produced.length > partsMax) return undefined;
    const form = (consumed.length * (partsMax + 1) + produced.length) * 2 + (now === undefined ? 0 : 1);
    const template = this.#byInput.get(input)?.get(form) ?? this.#add(input, form, record);
    return template.fill(record);
  }

  #add(input: string | symbol, form: number, record: TaskRecord): RecordTemplate {
    if (this.#size >= templatesMax) {
      this.#byInput.clear();
      this.#size = 0;
    }
    let forms = this.#byInput.get(input);
    if (forms === undefined) this.#byInput.set(input, (forms = new Map()));
    const template = new RecordTemplate(this.#build(record));
    forms.set(form, template);
    this.#size++;
    return template;
  }
}

/** Of a task that took parcels: from where; undefined for one that neither read nor took parcels. */
function inputOf(cause: Cause): string | symbol | undefined {
  if (cause.kind === "parcels") return cause.input;
  return cause.kind === "read" ? reading : undefined;
}
