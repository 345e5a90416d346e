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
  for (const [key, group] of groupsOf(objects, keyOf)) {
    for (let at = 0; at < group.length; at += batches) yield { key, payload: group.slice(at, at + batches) };
  }
}

function groupsOf(
  objects: readonly unknown[],
  keyOf: ((object: unknown) => string) | undefined,
): Iterable<readonly [string, readonly unknown[]]> {
  if (keyOf === undefined) return [["", objects]];
  const groups = new Map<string, unknown[]>();
  for (const object of objects) {
    const key = keyOf(object);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}
