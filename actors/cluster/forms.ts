import { Refusal } from "../transport/wire/refusal.ts";

/** Whether something that came is of a form. It is looked at, and never changed. */
export type Form = (value: unknown) => boolean;

/** The forms of an object's fields. Fields that aren't among them aren't looked at, nor used. */
export type Fields = Readonly<Record<string, Form>>;

// Names, and URLs of stores.
const textLengthMax = 4096;
// URLs of modules may hold much that is escaped.
const urlLengthMax = 65_536;
const itemsMax = 1 << 20;
const causesMax = 100;

export const text: Form = (value) => typeof value === "string" && value.length <= textLengthMax;
export const url: Form = (value) => typeof value === "string" && value.length <= urlLengthMax;
/** What people read. */
export const words: Form = (value) => typeof value === "string";
export const whole: Form = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
export const integer: Form = (value) => Number.isSafeInteger(value);
export const milliseconds: Form = (value) => typeof value === "number" && value >= 0;
export const yesOrNo: Form = (value) => typeof value === "boolean";
export const bytes: Form = (value) => value instanceof Uint8Array;

export function optional(form: Form): Form {
  return (value) => value === undefined || form(value);
}

/** A list without holes. */
export function list(form: Form): Form {
  return (value) => {
    if (!Array.isArray(value) || value.length > itemsMax) return false;
    // `every` leaves out what isn't there, and takes long for a list that only says that it is long.
    for (let index = 0; index < value.length; index++) if (!form(value[index])) return false;
    return true;
  };
}

/** A list of so many, each of its own form. */
export function tuple(...forms: readonly Form[]): Form {
  return (value) =>
    Array.isArray(value) && value.length === forms.length && forms.every((form, index) => form(value[index]));
}

export function object(fields: Fields): Form {
  const entries = Object.entries(fields);
  return (value) => isObject(value) && entries.every(([name, form]) => form(value[name]));
}

/** An object each of whose fields is of one form. */
export function record(form: Form): Form {
  return (value) => isObject(value) && Object.values(value).every((one) => form(one));
}

/** An object whose `kind` says which fields it has. */
export function oneOf(kinds: Readonly<Record<string, Fields>>): Form {
  return (value) => {
    if (!isObject(value)) return false;
    const { kind } = value;
    const fields = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    return fields !== undefined && object(fields)(value);
  };
}

const error = object({
  name: text,
  message: words,
  stack: optional(words),
  code: optional(text),
  place: optional(object({})),
});

/** An error as data, and its causes: they end. */
export const errorData: Form = (value) => {
  let cause = value;
  for (let depth = 0; depth < causesMax; depth++) {
    if (!error(cause)) return false;
    ({ cause } = cause as { readonly cause?: unknown });
    if (cause === undefined) return true;
  }
  return false;
};

export const texts: Form = list(text);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/**
 * What somebody tells, once each part of it that is used is of its form.
 *
 * @param who - that tells these words, for people
 * @throws Refusal
 */
export function checkTold<T extends { readonly kind: string }>(
  content: { readonly kind: string },
  kinds: Readonly<Record<T["kind"], Fields>>,
  who: string,
): T {
  const { kind } = content;
  if (!Object.hasOwn(kinds, kind)) {
    throw new Refusal("tell", `${who} don't tell ${JSON.stringify(kind.slice(0, 40))}`);
  }
  if (!object(kinds[kind as T["kind"]])(content))
    throw new Refusal("tell", `what ${who} tell of ${kind} has another form`);
  return content as unknown as T;
}

/** The fields of an object that are known, and no others: for what is kept. */
export function onlyKnown<T extends object>(value: T, fields: Readonly<Record<keyof T, Form>>): T {
  return Object.fromEntries(
    Object.keys(fields)
      .filter((name) => Object.hasOwn(value, name))
      .map((name) => [name, value[name as keyof T]]),
  ) as T;
}
