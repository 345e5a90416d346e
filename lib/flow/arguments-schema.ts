import { QStreamError } from "../core/errors.ts";

/** What an argument of a flow may be. */
export type ArgumentKind = "string" | "int32" | "float64" | "boolean";
/** The type of an argument; a question mark makes it optional. */
export type ArgumentType = ArgumentKind | `${ArgumentKind}?`;

/** Names and types of a flow's arguments; a question mark makes one optional. */
export type ArgumentsSchema = Readonly<Record<string, ArgumentType>>;

interface KindValues {
  string: string;
  int32: number;
  float64: number;
  boolean: boolean;
}

type Optional<S extends ArgumentsSchema> = { [K in keyof S]: S[K] extends `${string}?` ? K : never }[keyof S];
type ValueOf<T extends ArgumentType> = T extends `${infer K extends ArgumentKind}?`
  ? KindValues[K]
  : T extends ArgumentKind
    ? KindValues[T]
    : never;

/** The arguments that a schema describes. */
export type ArgumentsOf<S extends ArgumentsSchema> = { [K in Exclude<keyof S, Optional<S>>]: ValueOf<S[K]> } & {
  [K in Optional<S>]?: ValueOf<S[K]>;
} & {};

const kinds: readonly ArgumentKind[] = ["string", "int32", "float64", "boolean"];

/**
 * Refuses types that there aren't, for those who have no compiler to do so.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function checkSchema(schema: unknown): void {
  if (schema === undefined) return;
  const advice =
    'Types are string, boolean, int32 (whole numbers) and float64 (all numbers); one with a question mark is optional: { path: "string", limit: "int32?" }';
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new QStreamError("OPTION_INVALID", "the flow's arguments are no object of names and types", { advice });
  }
  for (const [name, type] of Object.entries(schema) as [string, unknown][]) {
    if (typeof type === "string" && kinds.includes(kindOf(type as ArgumentType))) continue;
    const what = `argument "${name}" of the flow has the type ${describe(type)}, which there isn't`;
    throw new QStreamError("OPTION_INVALID", what, { advice });
  }
}

/** Parses `name=value` texts of the command line by a schema; without one, all values are strings. */
export function parseArguments(
  flow: string,
  schema: ArgumentsSchema | undefined,
  texts: readonly string[],
): Record<string, unknown> {
  const args = Object.create(null) as Record<string, unknown>;
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) {
      throw new QStreamError("ARGUMENT_INVALID", `--arg ${text} isn't of the form name=value`, {
        advice: describeSchema(schema),
      });
    }
    const name = text.slice(0, at);
    if (Object.hasOwn(args, name)) {
      throw new QStreamError("ARGUMENT_INVALID", `--arg ${name} is given twice`, { advice: describeSchema(schema) });
    }
    args[name] = schema === undefined ? text.slice(at + 1) : parseOne(flow, schema, name, text.slice(at + 1));
  }
  return checkArguments(flow, schema, { ...args });
}

/** Checks arguments against a schema: unknown, missing and wrongly typed ones are ARGUMENT_INVALID. */
export function checkArguments(
  flow: string,
  schema: ArgumentsSchema | undefined,
  args: Record<string, unknown>,
): Record<string, unknown> {
  if (schema === undefined) return args;
  for (const [name, value] of Object.entries(args)) {
    const type = typeOf(schema, name);
    if (type === undefined) throw unknownArgument(flow, schema, name);
    if (value === undefined && type.endsWith("?")) continue;
    if (!fits(value, kindOf(type))) {
      throw new QStreamError(
        "ARGUMENT_INVALID",
        `argument "${name}" of flow "${flow}" is ${describe(value)}, not of type ${kindOf(type)}`,
      );
    }
  }
  const missing = Object.keys(schema).filter((name) => !schema[name]?.endsWith("?") && args[name] === undefined);
  if (missing.length === 0) return args;
  throw new QStreamError(
    "ARGUMENT_INVALID",
    `flow "${flow}" needs the ${missing.length === 1 ? "argument" : "arguments"} ${missing.join(", ")}`,
    {
      advice: describeSchema(schema),
    },
  );
}

function parseOne(flow: string, schema: ArgumentsSchema, name: string, text: string): unknown {
  const type = typeOf(schema, name);
  if (type === undefined) throw unknownArgument(flow, schema, name);
  const kind = kindOf(type);
  const value = parseText(kind, text);
  if (value !== undefined) return value;
  throw new QStreamError("ARGUMENT_INVALID", `--arg ${name}=${text}: "${text}" is not of type ${kind}`, {
    advice: describeSchema(schema),
  });
}

function parseText(kind: ArgumentKind, text: string): unknown {
  switch (kind) {
    case "string":
      return text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "int32":
    case "float64": {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      return fits(value, kind) ? value : undefined;
    }
  }
}

function fits(value: unknown, kind: ArgumentKind): boolean {
  switch (kind) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "int32":
      return typeof value === "number" && (value | 0) === value;
    case "float64":
      return typeof value === "number" && !Number.isNaN(value);
  }
}

function describe(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value)
    : typeof value === "object" && value !== null
      ? "an object"
      : String(value);
}

function kindOf(type: ArgumentType): ArgumentKind {
  return (type.endsWith("?") ? type.slice(0, -1) : type) as ArgumentKind;
}

function typeOf(schema: ArgumentsSchema, name: string): ArgumentType | undefined {
  return Object.hasOwn(schema, name) ? schema[name] : undefined;
}

function unknownArgument(flow: string, schema: ArgumentsSchema, name: string): QStreamError {
  return new QStreamError("ARGUMENT_INVALID", `flow "${flow}" has no argument "${name}"`, {
    advice: describeSchema(schema),
  });
}

function describeSchema(schema: ArgumentsSchema | undefined): string {
  if (schema === undefined) return "Write --arg name=value; this flow declares no schema, so every value is a string";
  const list = Object.entries(schema).map(
    ([name, type]) => `${name}=<${kindOf(type)}>${type.endsWith("?") ? " (optional)" : ""}`,
  );
  return list.length === 0 ? "The flow takes no arguments" : `Arguments: ${list.join(", ")}`;
}
