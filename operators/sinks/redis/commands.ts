import { QStreamError } from "../../../lib/core/errors.ts";
import { jsonText } from "../files/json-text.ts";

/** What Redis takes as the value of a field. */
export type RedisValue = string | number | bigint | boolean | Date | Uint8Array;

/** Makes the key, and fields and values, under which an object is written. */
export type ToEntry = (object: unknown) => { readonly key: string; readonly fields: Readonly<Record<string, unknown>> };

/** Some objects as arguments of the script: for each its key, how many arguments follow, and fields and values. */
export interface Piece {
  readonly objects: number;
  readonly args: readonly (string | Buffer)[];
}

// What one call of the script holds: Redis does nothing else meanwhile.
const pieceObjects = 500;
const pieceBytes = 1 << 20;
/** Lua hands a command at most some 8,000 arguments. */
const fieldsMax = 2000;

/** The arguments for a task's objects, in pieces that are the same whenever the task is repeated. */
export function* piecesOf(objects: readonly unknown[], toEntry: ToEntry): Generator<Piece, void> {
  let args: (string | Buffer)[] = [];
  let count = 0;
  let bytes = 0;
  for (const object of objects) {
    const { key, fields } = toEntry(object);
    const values = argumentsOf(fields);
    args.push(key, String(values.length), ...values);
    count += 1;
    bytes += values.reduce((sum, value) => sum + value.length, key.length);
    if (count < pieceObjects && bytes < pieceBytes) continue;
    yield { objects: count, args };
    args = [];
    count = 0;
    bytes = 0;
  }
  if (count > 0) yield { objects: count, args };
}

function argumentsOf(fields: Readonly<Record<string, unknown>>): (string | Buffer)[] {
  const values: (string | Buffer)[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) values.push(name, textOf(value, name));
  }
  if (values.length > 0 && values.length <= 2 * fieldsMax) return values;
  const what = values.length === 0 ? "has no fields" : `has ${values.length / 2} fields: ${fieldsMax} at most`;
  throw new QStreamError("BAD_INPUT", `redis: an object ${what}`, {
    advice: "Set the option fields to what should be written of an object.",
  });
}

function textOf(value: unknown, column: string): string | Buffer {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return value instanceof Date ? dateText(value, column) : jsonText(value, column);
  }
}

function dateText(date: Date, column: string): string {
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new QStreamError("BAD_INPUT", "redis: a date is invalid", {
    column,
    advice: "Map it to null or to a valid date first.",
  });
}
