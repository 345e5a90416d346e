import { QStreamError } from "../errors.ts";
import { decodeError, errorCodecName } from "./error-codec.ts";
import { codecNamed } from "./registry.ts";
import { cannotTravel, type Encoding, isPlainPrototype } from "./travel.ts";

/** Travels in place of an object that a codec encoded, and is known on the other side by its identity. */
export type Placeholder = Encoding;

/** Copies containers of inspected values, with placeholders where the objects with codecs are. */
export class Replacement {
  readonly #encodings: ReadonlyMap<object, Encoding>;
  readonly #copies = new Map<object, object>();
  readonly #placeholders: Placeholder[] = [];
  /** Objects whose encoding isn't complete: one that holds itself there could never be decoded. */
  readonly #open = new Set<object>();

  constructor(encodings: ReadonlyMap<object, Encoding>) {
    this.#encodings = encodings;
  }

  replaceAll(values: readonly unknown[]): [readonly unknown[], readonly Placeholder[]] {
    return [values.map((value) => this.#replace(value)), this.#placeholders];
  }

  #replace(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const encoding = this.#encodings.get(value);
    if (encoding !== undefined) return this.#hold(value, encoding);
    if (Array.isArray(value)) return this.#copyProperties(value, new Array<unknown>(value.length));
    if (isPlainPrototype(Object.getPrototypeOf(value) as object | null)) return this.#copyProperties(value, {});
    if (value instanceof Map) {
      const copy = this.#remember(value, new Map());
      for (const [key, element] of value) copy.set(this.#replace(key), this.#replace(element));
      return copy;
    }
    if (value instanceof Set) {
      const copy = this.#remember(value, new Set());
      for (const element of value) copy.add(this.#replace(element));
      return copy;
    }
    return value;
  }

  #remember<T extends object>(value: object, copy: T): T {
    this.#copies.set(value, copy);
    return copy;
  }

  #copyProperties(value: object, copy: object): object {
    this.#remember(value, copy);
    for (const key of Object.keys(value)) define(copy, key, this.#replace((value as Record<string, unknown>)[key]));
    return copy;
  }

  #hold(value: object, { codec, encoded }: Encoding): Placeholder {
    if (this.#open.has(value))
      throw cannotTravel(`an object that holds itself in what codec "${codec}" makes of it`, "");
    this.#open.add(value);
    const placeholder = this.#remember(value, { codec, encoded: this.#replace(encoded) });
    this.#open.delete(value);
    this.#placeholders.push(placeholder);
    return placeholder;
  }
}

/** Puts decoded objects where placeholders are. Works in place: what it is given was made by the deserializer just now. */
export class Restoration {
  readonly #placeholders: ReadonlySet<object>;
  /** What stands in the result for each object that was met: itself, or what a placeholder was decoded to. */
  readonly #results = new Map<object, unknown>();

  constructor(placeholders: readonly Placeholder[]) {
    this.#placeholders = new Set(placeholders);
  }

  restoreAll(values: readonly unknown[]): readonly unknown[] {
    return values.map((value) => this.#restore(value));
  }

  #restore(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (this.#results.has(value)) return this.#results.get(value);
    this.#results.set(value, value);
    if (this.#placeholders.has(value)) {
      const decoded = this.#decode(value as Placeholder);
      this.#results.set(value, decoded);
      return decoded;
    }
    if (value instanceof Map) this.#restoreMap(value);
    else if (value instanceof Set) this.#restoreSet(value);
    else if (Array.isArray(value) || isPlainPrototype(Object.getPrototypeOf(value) as object | null))
      this.#restoreProperties(value);
    return value;
  }

  #restoreProperties(value: object): void {
    for (const key of Object.keys(value)) {
      const before = (value as Record<string, unknown>)[key];
      const after = this.#restore(before);
      if (after !== before) define(value, key, after);
    }
  }

  #restoreMap(map: Map<unknown, unknown>): void {
    const entries = [...map];
    map.clear();
    for (const [key, element] of entries) map.set(this.#restore(key), this.#restore(element));
  }

  #restoreSet(set: Set<unknown>): void {
    const elements = [...set];
    set.clear();
    for (const element of elements) set.add(this.#restore(element));
  }

  #decode({ codec, encoded }: Placeholder): unknown {
    const restored = this.#restore(encoded);
    if (codec === errorCodecName) return decodeError(restored as Parameters<typeof decodeError>[0]);
    const { decode } = codecNamed(codec);
    try {
      return decode(restored);
    } catch (error) {
      throw new QStreamError("CANNOT_TRAVEL", `codec "${codec}" failed to decode an object`, {
        advice: "Its decode function must take everything that its encode function gives",
        cause: error,
      });
    }
  }
}

/** Sets an own property, also one named `__proto__`. */
function define(target: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}
