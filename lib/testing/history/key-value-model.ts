import { unknownResult, type MaybeResult, type Model } from "./model.ts";
import { sameValue, valueText } from "./value-text.ts";

/**
 * What a key-value store does. A get's result is the value, that of a compare-and-set whether it has set, that of a delete
 * may be whether there was a value. Null and undefined stand for no value.
 */
export type KeyValueOperation<Value> =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put"; readonly key: string; readonly value: Value }
  | { readonly kind: "delete"; readonly key: string }
  | {
      readonly kind: "compare-and-set";
      readonly key: string;
      readonly expected: Value | null;
      readonly value: Value;
    };

/** The values by key, of those that have one. */
export type KeyValueState<Value> = Readonly<Record<string, Value>>;

/**
 * Values by key: get, put, delete, compare-and-set. `checkLinearizable` takes each key by itself.
 *
 * @param initial - what there is before the first operation; nothing unless told
 * @example
 * const report = checkLinearizable(history, keyValueModel<number>());
 */
export function keyValueModel<Value>(
  initial: KeyValueState<Value> = {},
): Model<KeyValueState<Value>, KeyValueOperation<Value>, unknown> {
  // Without a prototype, so that "constructor" is a key like any other.
  const init: KeyValueState<Value> = Object.assign(Object.create(null) as object, initial);
  return {
    init,
    step,
    partition: ({ key }) => key,
    key: valueText,
    isRead: ({ kind }, result) =>
      kind === "get" || ((kind === "compare-and-set" || kind === "delete") && result === false),
  };
}

function step<Value>(
  state: KeyValueState<Value>,
  operation: KeyValueOperation<Value>,
  result: MaybeResult<unknown>,
): readonly KeyValueState<Value>[] {
  const value = state[operation.key] ?? null;
  switch (operation.kind) {
    case "get":
      return result === unknownResult || sameValue(result ?? null, value) ? [state] : [];
    case "put":
      return [withValue(state, operation.key, operation.value)];
    case "delete":
      if (typeof result === "boolean" && result !== (value !== null)) return [];
      return [withValue(state, operation.key, undefined)];
    case "compare-and-set": {
      const sets = sameValue(value, operation.expected ?? null);
      if (result !== unknownResult && result !== sets) return [];
      return [sets ? withValue(state, operation.key, operation.value) : state];
    }
  }
}

function withValue<Value>(state: KeyValueState<Value>, key: string, value: Value | undefined): KeyValueState<Value> {
  const copy: Record<string, Value> = Object.assign(Object.create(null) as Record<string, Value>, state);
  if (value === undefined || value === null) delete copy[key];
  else copy[key] = value;
  return copy;
}
