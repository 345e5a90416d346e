import { QStreamError } from "../../../lib/core/errors.ts";

const depthMax = 64;

/**
 * A value as JSON text. As `JSON.stringify`, but bigints are written as whole numbers, typed arrays as arrays and Uint8Arrays
 * as base64; what JSON can't hold (functions, maps, sets, NaN and infinities) is refused instead of lost.
 */
export function jsonText(value: unknown, column?: string): string {
  const text = textOf(value, column, 0);
  if (text === undefined) throw unfit("undefined", column);
  return text;
}

function textOf(value: unknown, column: string | undefined, depth: number): string | undefined {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw unfit(String(value), column);
      return String(value);
    case "bigint":
    case "boolean":
      return String(value);
    case "undefined":
      return undefined;
    case "object":
      return value === null ? "null" : objectText(value, column, depth);
    default:
      throw unfit(`a ${typeof value}`, column);
  }
}

function objectText(value: object, column: string | undefined, depth: number): string {
  if (depth > depthMax) throw unfit(`an object deeper than ${depthMax} levels, or one that contains itself,`, column);
  if (Array.isArray(value)) return arrayText(value, column, depth);
  if (value instanceof Uint8Array) {
    return JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return arrayText([...(value as unknown as Iterable<unknown>)], column, depth);
  }
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw unfit(`a ${value.constructor.name}`, column);
  }
  const convertible = value as { readonly toJSON?: () => unknown };
  if (typeof convertible.toJSON === "function") {
    return textOf(convertible.toJSON(), column, depth + 1) ?? "null";
  }
  let text = "";
  for (const [name, part] of Object.entries(value)) {
    const inner = textOf(part, column ?? name, depth + 1);
    if (inner !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${inner}`;
  }
  return `{${text}}`;
}

function arrayText(values: readonly unknown[], column: string | undefined, depth: number): string {
  return `[${values.map((part) => textOf(part, column, depth + 1) ?? "null").join(",")}]`;
}

function unfit(what: string, column: string | undefined): QStreamError {
  return new QStreamError("BAD_INPUT", `${what} can't be written as JSON`, {
    ...(column === undefined ? {} : { column }),
    advice: "Map it to null, text, numbers, arrays or plain objects first.",
  });
}
