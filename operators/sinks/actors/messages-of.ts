/** A message that a task's objects make. */
export interface KeyedMessage {
  readonly key: string;
  readonly payload: unknown;
}

/**
 * The messages of a task: one for each object, or with `batches` arrays of up to so many. Those of one key are in the order of the
 * objects.
 */
export function* messagesOf(
  objects: readonly unknown[],
  batches: number | undefined,
  keyOf: ((object: unknown) => string) | undefined,
): Generator<KeyedMessage, void> {
  if (batches === undefined) {
    for (const object of objects) yield { key: keyOf?.(object) ?? "", payload: object };
    return;
  }
  for (const { key, objects: payload } of batchesOf(objects, batches, keyOf)) yield { key, payload };
}

/** Objects of one key in arrays of up to so many, key by key. */
export function* batchesOf<T>(
  objects: readonly T[],
  most: number,
  keyOf: ((object: T) => string) | undefined,
): Generator<{ readonly key: string; readonly objects: readonly T[] }, void> {
  for (const [key, group] of groupsOf(objects, keyOf)) {
    for (let at = 0; at < group.length; at += most) yield { key, objects: group.slice(at, at + most) };
  }
}

function groupsOf<T>(
  objects: readonly T[],
  keyOf: ((object: T) => string) | undefined,
): Iterable<readonly [string, readonly T[]]> {
  if (keyOf === undefined) return [["", objects]];
  const groups = new Map<string, T[]>();
  for (const object of objects) {
    const key = keyOf(object);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}
