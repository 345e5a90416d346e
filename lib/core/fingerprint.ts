import { createHash } from "node:crypto";

/**
 * A short hash of plain data: equal data gives the same, whatever the order of properties and however a number is stored.
 * Functions count as functions, not by their text, which differs between a module and its bundle.
 */
export function fingerprintOf(data: unknown): string {
  return createHash("sha256").update(textOf(data, 0)).digest("hex").slice(0, 16);
}

const depthMax = 16;

function textOf(data: unknown, depth: number): string {
  switch (typeof data) {
    case "string":
      return JSON.stringify(data);
    case "bigint":
      return `${data}n`;
    case "function":
      return "function";
    case "object":
      return data === null ? "null" : depth > depthMax ? "deep" : textOfObject(data, depth + 1);
    default:
      return Object.is(data, -0) ? "-0" : String(data);
  }
}

function textOfObject(data: object, depth: number): string {
  if (data instanceof Date) return `date ${data.getTime()}`;
  if (data instanceof RegExp) return `regexp ${data}`;
  if (data instanceof Map) return `map ${textOf([...data], depth)}`;
  if (data instanceof Set) return `set ${textOf([...data], depth)}`;
  if (data instanceof ArrayBuffer) return `buffer ${hashOf(new Uint8Array(data))}`;
  if (ArrayBuffer.isView(data)) {
    return `${data.constructor.name} ${hashOf(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`;
  }
  if (Array.isArray(data)) return `[${data.map((value: unknown) => textOf(value, depth)).join()}]`;
  const properties = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${properties.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value, depth)}`).join()}}`;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
