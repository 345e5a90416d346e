import { types } from "node:util";
import { QStreamError } from "../errors.ts";
import { bytesKindOf } from "./bytes.ts";
import { encodeError, errorCodecName, isErrorPrototype } from "./error-codec.ts";
import { type Codec, codecOf } from "./registry.ts";

/** Levels of objects within objects that may travel. */
const depthMax = 1000;

/** Characters of a path in a message. */
const pathLengthMax = 80;

/** What can't travel, and where it is: the parts of the path, innermost last. */
interface Refusal {
  readonly what: string;
  readonly path: string[];
}

/** What a codec made of an object. */
export interface Encoding {
  readonly codec: string;
  readonly encoded: unknown;
}

/** Walks objects before they are cloned: finds what can't travel, and what a clone of the parts would tear apart. */
export class Inspection {
  /** Objects that travel as what a codec makes of them: those of registered classes, and errors. */
  readonly encodings = new Map<object, Encoding>();
  /** An object was met in two groups: cloned one by one, the groups would each get a copy of it. */
  shared = false;
  readonly #groupOf = new Map<object, number>();
  #group = 0;

  /** Says that `object` is known elsewhere: meeting it sets `shared`. */
  claim(object: object): void {
    this.#groupOf.set(object, -1);
  }

  /** Begins a group of values that will be cloned together. */
  nextGroup(): void {
    this.#group += 1;
  }

  /** Throws CANNOT_TRAVEL, with the path from `root`, if the value or something inside of it can't travel. */
  inspect(value: unknown, root = ""): void {
    const refusal = this.#look(value, 0);
    if (refusal === undefined) return;
    throw cannotTravel(refusal.what, root + refusal.path.reverse().join(""));
  }

  #look(value: unknown, depth: number): Refusal | undefined {
    switch (typeof value) {
      case "object":
        return value === null ? undefined : this.#lookAtObject(value, depth);
      case "function":
        return refuse(`a function${value.name === "" ? "" : ` (${value.name})`}`);
      case "symbol":
        return refuse(`a symbol (${String(value)})`);
      default:
        return undefined;
    }
  }

  #lookAtObject(value: object, depth: number): Refusal | undefined {
    const group = this.#groupOf.get(value);
    if (group !== undefined) {
      if (group !== this.#group) this.shared = true;
      return undefined;
    }
    this.#groupOf.set(value, this.#group);
    if (depth > depthMax) return refuse(`data nested deeper than ${depthMax} levels`);
    if (types.isProxy(value)) return refuse("a Proxy");
    const prototype = Object.getPrototypeOf(value) as object | null;
    const codec = prototype === null ? undefined : codecOf(prototype);
    if (codec !== undefined) return this.#lookAtEncoded(value, codec, depth);
    if (Array.isArray(value))
      return isOf(prototype, "Array") ? this.#lookAtArray(value, depth) : refuse(instanceOf(prototype));
    if (isPlainPrototype(prototype)) return this.#lookAtProperties(value, Object.keys(value), depth);
    return this.#lookAtBuiltIn(value, prototype, depth);
  }

  #lookAtEncoded(
    value: object,
    codec: Pick<Codec<never, unknown>, "name" | "encode">,
    depth: number,
  ): Refusal | undefined {
    let encoded: unknown;
    try {
      encoded = codec.encode(value as never);
    } catch (error) {
      throw cannotTravel(`an object whose codec "${codec.name}" failed to encode it`, "", error);
    }
    this.encodings.set(value, { codec: codec.name, encoded });
    const refusal = this.#look(encoded, depth + 1);
    return refusal === undefined ? undefined : within(refusal, `.encode(${JSON.stringify(codec.name)})`);
  }

  #lookAtArray(array: readonly unknown[], depth: number): Refusal | undefined {
    // An array of more elements may be sparse: then its keys are fewer than its length.
    if (array.length > 1 << 16) return this.#lookAtProperties(array, Object.keys(array), depth);
    for (let index = 0; index < array.length; index += 1) {
      const value = array[index];
      if (typeof value === "number" || typeof value === "string") continue;
      const refusal = this.#look(value, depth + 1);
      if (refusal !== undefined) return within(refusal, `[${index}]`);
    }
    return undefined;
  }

  #lookAtProperties(value: object, keys: readonly string[], depth: number): Refusal | undefined {
    for (const key of keys) {
      const refusal = this.#look((value as Record<string, unknown>)[key], depth + 1);
      if (refusal !== undefined) return within(refusal, Array.isArray(value) ? `[${key}]` : propertyPath(key));
    }
    return undefined;
  }

  #lookAtBuiltIn(value: object, prototype: object | null, depth: number): Refusal | undefined {
    if (types.isNativeError(value)) {
      if (!isErrorPrototype(prototype)) return refuse(instanceOf(prototype));
      return this.#lookAtEncoded(value, { name: errorCodecName, encode: encodeError }, depth);
    }
    if (ArrayBuffer.isView(value)) return bytesKindOf(value) !== undefined ? undefined : refuse(instanceOf(prototype));
    if (types.isArrayBuffer(value)) return bytesKindOf(value) !== undefined ? undefined : refuse(instanceOf(prototype));
    const name = builtInName(value);
    if (name === undefined) return refuse(instanceOf(prototype));
    if (!isOf(prototype, name)) return refuse(instanceOf(prototype));
    const [extra] = name === "String" ? [] : Object.keys(value);
    if (extra !== undefined) return refuse(`a ${name} with a property of its own ("${extra}")`);
    if (value instanceof Map) return this.#lookAtMap(value, depth);
    if (value instanceof Set) return this.#lookAtSet(value, depth);
    return undefined;
  }

  #lookAtMap(map: ReadonlyMap<unknown, unknown>, depth: number): Refusal | undefined {
    for (const [key, value] of map) {
      const refusal = this.#look(key, depth + 1);
      if (refusal !== undefined) return within(refusal, ".keys()");
      const inValue = this.#look(value, depth + 1);
      if (inValue !== undefined)
        return within(inValue, `.get(${typeof key === "string" ? JSON.stringify(key) : String(key)})`);
    }
    return undefined;
  }

  #lookAtSet(set: ReadonlySet<unknown>, depth: number): Refusal | undefined {
    for (const value of set) {
      const refusal = this.#look(value, depth + 1);
      if (refusal !== undefined) return within(refusal, ".values()");
    }
    return undefined;
  }
}

/** True for the prototypes of plain objects: none, or `Object.prototype`, also that of another realm. */
export function isPlainPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** By name, so that objects of another realm (a `vm` context) are known too. */
function isOf(prototype: object | null, name: string): boolean {
  return prototype !== null && constructorName(prototype) === name;
}

function builtInName(value: object): string | undefined {
  if (types.isMap(value)) return "Map";
  if (types.isSet(value)) return "Set";
  if (types.isDate(value)) return "Date";
  if (types.isRegExp(value)) return "RegExp";
  if (types.isNumberObject(value)) return "Number";
  if (types.isStringObject(value)) return "String";
  if (types.isBooleanObject(value)) return "Boolean";
  return types.isBigIntObject(value) ? "BigInt" : undefined;
}

function constructorName(prototype: object): string | undefined {
  const { constructor } = prototype as { readonly constructor?: unknown };
  return typeof constructor === "function" ? constructor.name : undefined;
}

function instanceOf(prototype: object | null): string {
  const name = prototype === null ? undefined : constructorName(prototype);
  return name === undefined || name === "" ? "an object with a prototype of its own" : `an object of class ${name}`;
}

function refuse(what: string): Refusal {
  return { what, path: [] };
}

function within(refusal: Refusal, part: string): Refusal {
  refusal.path.push(part);
  return refusal;
}

/** A property as part of a path: `.name`, or `["odd name"]`. */
export function propertyPath(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** A path for a message: of a long one, such as that of a deep tree, only both ends. */
function shortened(path: string): string {
  if (path.length <= pathLengthMax) return path;
  const head = Math.floor((pathLengthMax - 3) / 2);
  return `${path.slice(0, head)}...${path.slice(head + 3 - pathLengthMax)}`;
}

/** The error for something that can't travel at a path inside of a stream's object. */
export function cannotTravel(what: string, path: string, cause?: unknown): QStreamError {
  return new QStreamError(
    "CANNOT_TRAVEL",
    `${what} can't travel between slots${path === "" ? "" : `: it is at ${shortened(path)} of the object`}`,
    {
      advice:
        "Objects that go to another slot are plain data, Map, Set, Date, RegExp, Error, typed arrays and the like. For a class of your own call registerCodec(Class, { name, encode, decode }); send data instead of functions, promises, sockets and streams",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/**
 * Checks that an object could go to another slot.
 *
 * @throws QStreamError CANNOT_TRAVEL naming what can't, with its path inside of the object
 */
export function assertTravels(object: unknown): void {
  new Inspection().inspect(object);
}
