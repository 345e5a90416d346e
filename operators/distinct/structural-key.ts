import { QStreamError } from "../../lib/core/errors.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";

/**
 * A key that stands for all that an object holds: equal for objects with equal properties, in any order and in depth, and
 * for nothing else. Plain values stand for themselves; a property that is undefined counts as missing.
 *
 * @throws QStreamError BAD_INPUT for functions, symbols and objects that contain themselves
 * @example structuralKey({ a: 1, b: [2] }) === structuralKey({ b: [2], a: 1 }); // true
 */
export function structuralKey(object: unknown): Key {
  if (typeof object !== "object" || object === null || object instanceof Date) return plainKey(object);
  return `\u0001${textOf(object, 0)}`;
}

function plainKey(value: unknown): Key {
  // Texts that begin with the mark of objects are marked again, so that no text looks like an object.
  if (typeof value === "string" && value.startsWith("\u0001")) return `\u0001${value}`;
  if (typeof value === "function" || typeof value === "symbol") throw notComparable(typeof value);
  return value as Key;
}

/** Deeper objects are taken for ones that contain themselves. */
const depthMax = 256;

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return `s${value.length}:${value}`;
    case "number":
      // Minus zero equals zero, as keys do.
      return `n${value === 0 ? 0 : value};`;
    case "bigint": {
      // Equal to the same number, as keys are, where that is exact.
      const number = Number(value);
      return Number.isFinite(number) && BigInt(number) === value ? `n${number};` : `i${value};`;
    }
    case "boolean":
      return value ? "t" : "f";
    case "undefined":
      return "u";
    case "object":
      return value === null ? "z" : objectText(value, depth + 1);
    default:
      throw notComparable(typeof value);
  }
}

function objectText(object: object, depth: number): string {
  if (depth > depthMax) {
    throw new QStreamError("BAD_INPUT", `an object is more than ${depthMax} levels deep, or contains itself`, {
      advice: "Give distinct a key.",
    });
  }
  if (Array.isArray(object)) return `a${object.length}[${object.map((value) => textOf(value, depth)).join("")}`;
  if (object instanceof Date) return `d${object.getTime()};`;
  if (object instanceof Map) return `m${object.size}(${sortedTexts([...object], depth)}`;
  if (object instanceof Set) return `e${object.size}(${sortedTexts([...object], depth)}`;
  if (ArrayBuffer.isView(object))
    return bytesText(object.constructor.name, object.buffer, object.byteOffset, object.byteLength);
  if (object instanceof ArrayBuffer || object instanceof SharedArrayBuffer)
    return bytesText("Buffer", object, 0, object.byteLength);
  const properties = object as Readonly<Record<string, unknown>>;
  let text = "o{";
  for (const name of Object.keys(properties).sort()) {
    const value = properties[name];
    if (value !== undefined) text += `${name.length}:${name}${textOf(value, depth)}`;
  }
  return `${text}}`;
}

/** Members in an order of their own, because that of maps and sets doesn't count. */
function sortedTexts(values: readonly unknown[], depth: number): string {
  return values
    .map((value) => textOf(value, depth))
    .sort()
    .join("");
}

function bytesText(name: string, buffer: ArrayBufferLike, offset: number, length: number): string {
  return `b${name}${length}:${Buffer.from(buffer, offset, length).toString("latin1")}`;
}

function notComparable(what: string): QStreamError {
  return new QStreamError("BAD_INPUT", `objects that hold a ${what} can't be compared`, {
    advice: "Give distinct a key.",
  });
}
