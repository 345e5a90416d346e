import { decodeObjects, encodeObjects } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** What a value begins with. Stored in logs: only ever add at the end. */
const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** A whole number from 0 on, and one below. */
  count: 4,
  negative: 5,
  double: 6,
  text: 7,
  object: 8,
  array: 9,
  /** Whatever the codec of objects takes. */
  clone: 10,
} as const;

// What is larger, deeper or shared is for the codec of objects.
const propertiesMax = 32;
const elementsMax = 64;
const depthMax = 4;

/**
 * Writes a value that is sent to an actor. Most are a number, a text, or a plain object of such, which take few bytes so; all else
 * goes as it travels between slots.
 *
 * @throws QStreamError CANNOT_TRAVEL
 */
export function writeValue(writer: ByteWriter, value: unknown): void {
  if (isSimple(value, [], depthMax)) writeSimple(writer, value);
  else writeClone(writer, value);
}

export function readValue(reader: ByteReader): unknown {
  const tag = reader.byte();
  switch (tag) {
    case tags.undefined:
      return undefined;
    case tags.null:
      return null;
    case tags.false:
      return false;
    case tags.true:
      return true;
    case tags.count:
      return reader.count();
    case tags.negative:
      return -reader.count();
    case tags.double:
      return reader.double();
    case tags.text:
      return reader.text();
    case tags.object:
      return readObject(reader);
    case tags.array:
      return Array.from({ length: reader.count() }, () => readValue(reader));
    case tags.clone:
      return readClone(reader);
    default:
      throw new QStreamError("FRAME_INVALID", `the log of a durable actor holds a value of an unknown kind (${tag})`);
  }
}

/** True for what the few kinds below keep as it is: none of its objects twice, none of a class, no property that isn't data. */
function isSimple(value: unknown, met: object[], depth: number): boolean {
  switch (typeof value) {
    case "undefined":
    case "boolean":
    case "number":
    case "string":
      return true;
    case "object":
      if (value === null) return true;
      if (depth === 0 || met.includes(value)) return false;
      met.push(value);
      return Array.isArray(value) ? isSimpleArray(value, met, depth) : isSimpleObject(value, met, depth);
    default:
      return false;
  }
}

function isSimpleArray(array: readonly unknown[], met: object[], depth: number): boolean {
  const { length } = array;
  if (Object.getPrototypeOf(array) !== Array.prototype || length > elementsMax) return false;
  // Neither holes nor further properties.
  if (Object.keys(array).length !== length) return false;
  for (let index = 0; index < length; index++) if (!isSimple(array[index], met, depth - 1)) return false;
  return true;
}

function isSimpleObject(object: object, met: object[], depth: number): boolean {
  if (Object.getPrototypeOf(object) !== Object.prototype) return false;
  let properties = 0;
  for (const key in object) {
    if (++properties > propertiesMax || key === "__proto__") return false;
    if (!isSimple((object as Record<string, unknown>)[key], met, depth - 1)) return false;
  }
  return true;
}

function writeSimple(writer: ByteWriter, value: unknown): void {
  switch (typeof value) {
    case "number":
      writeNumber(writer, value);
      return;
    case "string":
      writer.byte(tags.text);
      writer.text(value);
      return;
    case "object":
      if (value === null) writer.byte(tags.null);
      else if (Array.isArray(value)) writeArray(writer, value);
      else writeObject(writer, value as Record<string, unknown>);
      return;
    case "boolean":
      writer.byte(value ? tags.true : tags.false);
      return;
    default:
      writer.byte(tags.undefined);
  }
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.byte(tags.double);
    writer.double(value);
  } else {
    writer.byte(value < 0 ? tags.negative : tags.count);
    writer.count(Math.abs(value));
  }
}

function writeArray(writer: ByteWriter, array: readonly unknown[]): void {
  writer.byte(tags.array);
  writer.count(array.length);
  for (const value of array) writeSimple(writer, value);
}

function writeObject(writer: ByteWriter, object: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(object);
  writer.byte(tags.object);
  writer.count(keys.length);
  for (const key of keys) {
    writer.text(key);
    writeSimple(writer, object[key]);
  }
}

function readObject(reader: ByteReader): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let left = reader.count(); left > 0; left--) {
    const key = reader.text();
    object[key] = readValue(reader);
  }
  return object;
}

function writeClone(writer: ByteWriter, value: unknown): void {
  const { format, bytes } = encodeObjects([value]);
  writer.byte(tags.clone);
  writer.byte(format === "columns" ? 1 : 0);
  writer.bytes(new Uint8Array(bytes));
}

function readClone(reader: ByteReader): unknown {
  const format = reader.byte() === 1 ? "columns" : "clone";
  // The codec looks at numbers in place, which have to be aligned.
  const bytes = new Uint8Array(reader.bytes()).buffer;
  const [value] = decodeObjects({ format, rows: 1, bytes });
  return value;
}
