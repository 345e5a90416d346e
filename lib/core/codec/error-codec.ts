import { QStreamError } from "../errors.ts";

/** The codec that errors travel by: structured clone would drop their own properties and the names of their classes. */
export const errorCodecName = "qstream:error";

interface EncodedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Own properties but message and stack: cause, errors, code and whatever the user set. */
  readonly properties: readonly (readonly [name: string, value: unknown, enumerable: boolean])[];
}

const errorClasses: readonly (new (...parameters: never[]) => Error)[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  QStreamError,
];
const classByName = new Map(errorClasses.map((errorClass) => [errorClass.name, errorClass]));

/** True for errors of the language's own classes and of QStream's. By name: another realm's and another copy's are known too. */
export function isErrorPrototype(prototype: object | null): boolean {
  if (prototype === null || !Object.hasOwn(prototype, "constructor")) return false;
  const { constructor } = prototype;
  return typeof constructor === "function" && classByName.has(constructor.name);
}

export function encodeError(error: Error): EncodedError {
  const properties: [string, unknown, boolean][] = [];
  for (const name of Object.getOwnPropertyNames(error)) {
    if (name === "message" || name === "stack") continue;
    properties.push([
      name,
      (error as unknown as Record<string, unknown>)[name],
      Object.prototype.propertyIsEnumerable.call(error, name),
    ]);
  }
  return { type: error.constructor.name, message: error.message, stack: error.stack, properties };
}

export function decodeError({ type, message, stack, properties }: EncodedError): Error {
  // Made as an error of its class, yet without the class's constructor, whose parameters may be other ones.
  const error: Error = Reflect.construct(Error, [message], classByName.get(type) ?? Error);
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(error, "stack", { ...hidden, value: stack });
  for (const [name, value, enumerable] of properties)
    Object.defineProperty(error, name, { ...hidden, enumerable, value });
  return error;
}
