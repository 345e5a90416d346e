import { inspect } from "node:util";

const lineMax = 100;

/**
 * A value as source text, which makes it again. What can't be written so (instances of classes, batches, functions) is undefined
 * with a comment that shows it.
 */
export function sourceText(value: unknown): string {
  return written(value, new Set());
}

function written(value: unknown, inside: Set<unknown>): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      break;
    default:
      return shown(value);
  }
  if (value === null) return "null";
  if (inside.has(value)) return shown("circular");
  inside.add(value);
  const text = ofObject(value, inside);
  inside.delete(value);
  return text;
}

function ofObject(value: object, inside: Set<unknown>): string {
  const list = (items: Iterable<unknown>): string =>
    `[${Array.from(items, (item) => written(item, inside)).join(", ")}]`;
  if (Array.isArray(value)) return list(value);
  if (value instanceof Date) {
    return `new Date(${Number.isNaN(value.getTime()) ? "Number.NaN" : JSON.stringify(value.toISOString())})`;
  }
  if (value instanceof Map) return `new Map(${list(value)})`;
  if (value instanceof Set) return `new Set(${list(value)})`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const name = Buffer.isBuffer(value) ? "Buffer" : value.constructor.name;
    return `${name}.from(${list(value as unknown as Iterable<unknown>)})`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return shown(value);
  const parts = Object.entries(value).map(([key, item]) => `${propertyName(key)}: ${written(item, inside)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

function propertyName(key: string): string {
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/u.test(key) ? key : JSON.stringify(key);
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, compact: true }).replaceAll("*/", "* /");
  return `undefined /* ${text.slice(0, lineMax).replaceAll("\n", " ")} */`;
}
