import { QStreamError } from "../../core/errors.ts";

const depthMax = 100;
const widthMax = 48;

/** A value as text that is the same for equal values only: properties in the order of their names, those that are undefined left out. */
export function valueText(value: unknown): string {
  return textOf(value, 0);
}

/** A text that is cut where it is too long for a column. */
export function short(text: string): string {
  return text.length > widthMax ? `${text.slice(0, widthMax - 3)}...` : text;
}

/** True if both are the same by `valueText`: null isn't undefined, and 0 is -0. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" && typeof other !== "object") return Object.is(one, other);
  return valueText(one) === valueText(other);
}

/** An operation as people read it: `{ kind: "write", value: 1 }` is "write 1", anything else is its value. */
export function operationText(operation: unknown): string {
  if (Array.isArray(operation)) return `[${operation.map(operationText).join(", ")}]`;
  if (typeof operation !== "object" || operation === null) return valueText(operation);
  const { kind, ...rest } = operation as Readonly<Record<string, unknown>>;
  if (typeof kind !== "string") return valueText(operation);
  const values = Object.values(rest).filter((value) => value !== undefined);
  return [kind, ...values.map(valueText)].join(" ");
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "number":
      return String(value);
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : objectText(value, depth + 1);
    case "undefined":
    case "boolean":
      return String(value);
    default:
      throw new QStreamError("HISTORY_INVALID", `a ${typeof value} can't be compared by value`, {
        advice: "Record operations and results that are plain data, and give models states that are",
      });
  }
}

function objectText(value: object, depth: number): string {
  if (depth > depthMax) {
    throw new QStreamError("HISTORY_INVALID", `a value is nested more than ${depthMax} deep`, {
      advice: "Record plain data without circles",
    });
  }
  if (Array.isArray(value)) return `[${value.map((each: unknown) => textOf(each, depth)).join(", ")}]`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof Map) return `Map {${inOrder([...value].map((entry) => textOf(entry, depth)))}}`;
  if (value instanceof Set) return `Set {${inOrder([...value].map((each) => textOf(each, depth)))}}`;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
    return `${value.constructor.name} ${bytes}`;
  }
  const properties = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => `${JSON.stringify(name)}: ${textOf(each, depth)}`);
  return `{${inOrder(properties)}}`;
}

function inOrder(texts: readonly string[]): string {
  return [...texts].sort().join(", ");
}
