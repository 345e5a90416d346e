import { Reference } from "../../../../actors/system/reference.ts";
import { WorldMachine } from "../machine.ts";
import { MachineDisk } from "../machine-disk.ts";

// Beyond, the stack might not hold it.
const depthMax = 200;

/** What can't be compared: a promise that is waited for, an object that hides what it holds. */
export class Unhashable extends Error {}

const functionNumbers = new WeakMap<object, number>();
let functions = 0;

/**
 * Values as texts that are the same for values that nobody can tell apart: by their order, too, as who goes through a Map or a Set can.
 * An object that was met before, in what one of these was given, is named by its place there.
 */
export class ValueTexts {
  readonly #places = new Map<object, number>();

  /** @throws Unhashable */
  of(value: unknown): string {
    return this.#textOf(value, 0);
  }

  #textOf(value: unknown, depth: number): string {
    switch (typeof value) {
      case "string":
        return JSON.stringify(value);
      case "symbol":
        throw new Unhashable();
      case "function":
        return `function ${numberOf(value)}`;
      case "object":
        return value === null ? "null" : this.#objectText(value, depth + 1);
      case "number":
        return Object.is(value, -0) ? "-0" : String(value);
      default:
        return `${typeof value} ${String(value)}`;
    }
  }

  #objectText(value: object, depth: number): string {
    if (value instanceof Reference) return `actor ${value.key}`;
    if (value instanceof WorldMachine) return `machine ${value.index}`;
    if (value instanceof MachineDisk) return `disk ${value.machine}`;
    const place = this.#places.get(value);
    if (place !== undefined) return `^${place}`;
    if (depth > depthMax) throw new Unhashable();
    this.#places.set(value, this.#places.size);
    const parts = this.#partsOf(value, depth);
    const own = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${this.#textOf(each, depth)}`);
    if (Object.getOwnPropertySymbols(value).length > 0) throw new Unhashable();
    return `${parts}{${own.join(",")}}`;
  }

  /** What an object has besides its properties. */
  #partsOf(value: object, depth: number): string {
    const prototype: unknown = Object.getPrototypeOf(value);
    const list = (values: Iterable<unknown>): string => [...values].map((each) => this.#textOf(each, depth)).join(",");
    switch (prototype) {
      case null:
      case Object.prototype:
        return "";
      case Array.prototype:
        return `array ${(value as unknown[]).length}`;
      case Map.prototype:
        return `Map(${list(value as Map<unknown, unknown>)})`;
      case Set.prototype:
        return `Set(${list(value as Set<unknown>)})`;
      case Date.prototype:
        return `Date ${(value as Date).getTime()}`;
      case RegExp.prototype:
        return `${String(value)} ${(value as RegExp).lastIndex}`;
    }
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value;
      return `${value.constructor.name} ${Buffer.from(buffer, byteOffset, byteLength).toString("base64")}`;
    }
    if (value instanceof Error) return `${value.name} ${JSON.stringify(value.message)}`;
    if (hides(value)) throw new Unhashable();
    return value.constructor.name;
  }
}

/** The same for the same function in all runs: what a run makes is another one in each, as nobody knows what it remembers. */
function numberOf(value: object): number {
  let number = functionNumbers.get(value);
  if (number === undefined) functionNumbers.set(value, (number = ++functions));
  return number;
}

// What may be in a class that others don't see: private fields, as they are and as older targets have them.
const hidden = /#[\p{ID_Start}$_]|\bWeakMap\b|__classPrivate|\[native code\]/u;
const hiding = new WeakMap<object, boolean>();

/** True for an object of a class that may hold what its properties don't show. */
function hides(value: object): boolean {
  for (let at: unknown = Object.getPrototypeOf(value); at !== null && at !== Object.prototype;) {
    const { constructor } = at as { readonly constructor: object };
    let isHiding = hiding.get(constructor);
    if (isHiding === undefined) hiding.set(constructor, (isHiding = hidden.test(String(constructor))));
    if (isHiding) return true;
    at = Object.getPrototypeOf(at);
  }
  return false;
}
