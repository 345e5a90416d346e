/** True for a Map or a Set: its contents aren't properties, and would be lost where those are written as columns. */
export function isCollection(object: unknown): object is ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> {
  return object instanceof Map || object instanceof Set;
}
