import { QStreamError } from "../errors.ts";

/** How objects of a class travel between slots: as a value of any kind that travels itself. */
export interface Codec<T, Encoded> {
  /** Known by this name in every slot: unique in the program. */
  readonly name: string;
  /** Gives what travels in place of the object: plain data, or data with further registered objects in it. */
  readonly encode: (object: T) => Encoded;
  /** Makes the object anew from what `encode` gave. */
  readonly decode: (encoded: Encoded) => T;
}

export interface RegisteredCodec extends Codec<unknown, unknown> {
  readonly prototype: object;
}

interface Registry {
  readonly byPrototype: Map<object, RegisteredCodec>;
  readonly byName: Map<string, RegisteredCodec>;
}

// One registry a thread, shared by several copies of this package (a bundle's and ours).
const registrySymbol = Symbol.for("qstream.codec-registry.1");
const holder = globalThis as { [registrySymbol]?: Registry };
const registry: Registry = (holder[registrySymbol] ??= { byPrototype: new Map(), byName: new Map() });

const codecsMax = 4096;

/**
 * Lets objects of a class travel between slots, at the top level of a stream and inside of other objects. Call it where the
 * class is defined, at the top level of a module that the flow's module imports, so that every slot has it.
 *
 * @param Class the class; objects of its subclasses need codecs of their own
 * @param codec its name in all slots, and the functions that turn an object into data and back
 * @throws QStreamError OPTION_INVALID when another class already has the name
 *
 * @example
 * class Money { constructor(readonly cents: number) {} }
 * registerCodec(Money, { name: "money", encode: (money) => money.cents, decode: (cents) => new Money(cents) });
 */
export function registerCodec<T extends object, Encoded>(
  // oxlint-disable-next-line typescript/no-explicit-any -- a class with any constructor
  Class: abstract new (...args: any[]) => T,
  codec: Codec<T, Encoded>,
): void {
  const prototype = Class.prototype as object;
  const known = registry.byName.get(codec.name);
  // A module that is loaded twice (as it is, and in a bundle) defines the same class twice: the same source is the same class.
  if (known !== undefined && known.prototype !== prototype && sourceOf(known.prototype) !== String(Class)) {
    throw new QStreamError("OPTION_INVALID", `two classes register a codec under the name "${codec.name}"`, {
      advice: "Give each class's codec a name of its own, with your package's name in front of it",
    });
  }
  if (known === undefined && registry.byName.size >= codecsMax) {
    throw new QStreamError("LIMIT_EXCEEDED", `more than ${codecsMax} codecs are registered`, {
      advice: "Register codecs once, at the top level of a module",
    });
  }
  const { name, encode, decode } = codec as unknown as Codec<unknown, unknown>;
  const registered: RegisteredCodec = { name, encode, decode, prototype };
  registry.byName.set(name, registered);
  registry.byPrototype.set(prototype, registered);
}

function sourceOf(prototype: object): string {
  return String((prototype as { readonly constructor: unknown }).constructor);
}

/** The codec of objects with this very prototype. */
export function codecOf(prototype: object): RegisteredCodec | undefined {
  return registry.byPrototype.get(prototype);
}

/** The codec that was registered under a name; an error where this slot doesn't have it. */
export function codecNamed(name: string): RegisteredCodec {
  const codec = registry.byName.get(name);
  if (codec !== undefined) return codec;
  throw new QStreamError(
    "CANNOT_TRAVEL",
    `an object of a class with codec "${name}" came to a slot that doesn't have this codec`,
    {
      advice:
        "Call registerCodec at the top level of a module that the flow's module imports, so that every slot runs it",
    },
  );
}
