import { QStreamError } from "../../lib/core/errors.ts";
import { decodeText } from "../text/decode.ts";

/** An entry of a Redis stream. */
export interface RedisEntry<Value = string> {
  /** "milliseconds-number", as Redis gave it. */
  readonly id: string;
  readonly fields: Readonly<Record<string, Value>>;
}

/** How the values of fields are handed over: as text, which has to be UTF-8, or as bytes. */
export type RedisValues = "text" | "bytes";

/** An entry as it came over the wire. */
export interface RawEntry {
  readonly id: string;
  /** Names and values by turns. */
  readonly parts: readonly Buffer[];
  readonly bytes: number;
}

/** Entries of a reply of XRANGE, or of one stream in a reply of XREAD. */
export function entriesOf(reply: unknown): RawEntry[] {
  return (reply as readonly (readonly [Buffer, readonly Buffer[]])[]).map(([id, parts]) => ({
    id: id.toString("latin1"),
    parts,
    bytes: parts.reduce((sum, part) => sum + part.byteLength, id.byteLength),
  }));
}

/** Entries of the only stream in a reply of XREAD, which is null if there were none. */
export function entriesRead(reply: unknown): RawEntry[] {
  const [only] = (reply ?? []) as readonly (readonly [Buffer, unknown])[];
  return only === undefined ? [] : entriesOf(only[1]);
}

/**
 * An entry's fields by name.
 *
 * @throws QStreamError BAD_INPUT for text that isn't UTF-8, and for a name that comes twice
 */
export function decodeEntry(raw: RawEntry, values: RedisValues, place: string): RedisEntry | RedisEntry<Uint8Array> {
  const pairs: [string, unknown][] = [];
  const names = new Set<string>();
  for (let at = 0; at + 1 < raw.parts.length; at += 2) {
    const name = textOf(raw.parts[at] as Buffer, raw, "the name of a field", place);
    if (names.has(name)) throw twice(raw, name, place);
    names.add(name);
    const value = raw.parts[at + 1] as Buffer;
    pairs.push([name, values === "bytes" ? new Uint8Array(value) : textOf(value, raw, `field "${name}"`, place)]);
  }
  return { id: raw.id, fields: Object.fromEntries(pairs) as Record<string, never> };
}

/** The JSON value in a field. */
export function jsonOf({ id, fields }: RedisEntry, field: string, place: string): unknown {
  const text = fields[field];
  try {
    if (text !== undefined) return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badEntry(id, `field "${field}" isn't JSON: ${JSON.stringify(text?.slice(0, 200))}`, place, {
      advice: "Correct who adds it, or give the option map instead of json, and say what becomes of such entries.",
      cause,
    });
  }
  throw badEntry(id, `there is no field "${field}"`, place, { advice: `It has: ${Object.keys(fields).join(", ")}.` });
}

function textOf(bytes: Buffer, raw: RawEntry, what: string, place: string): string {
  const text = decodeText(bytes);
  if (text !== undefined) return text;
  throw badEntry(raw.id, `${what} isn't valid UTF-8`, place, {
    advice: 'For values that are no text, give values: "bytes".',
  });
}

function twice(raw: RawEntry, name: string, place: string): QStreamError {
  return badEntry(raw.id, `field "${name}" comes twice`, place, {
    advice: "Entries are read as objects, which have each field once: give fields different names.",
  });
}

function badEntry(
  id: string,
  what: string,
  place: string,
  details: { readonly advice: string; readonly cause?: unknown },
): QStreamError {
  return new QStreamError("BAD_INPUT", `entry ${id} of ${place}: ${what}`, details);
}
