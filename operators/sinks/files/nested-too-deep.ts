const depthMax = 1000;

/** The first property of an object whose value holds itself, or nests deeper than 1000 levels: it can't be columns. */
export function columnNestedTooDeep(objects: readonly unknown[]): string | undefined {
  const visited = new Set<object>();
  for (const object of objects) {
    for (const [name, value] of Object.entries(object as object)) {
      if (isTooDeep(value, new Set([object as object]), visited)) return name;
    }
  }
  return undefined;
}

/** `around` are the objects that the value is inside of, `visited` those found to be fine. */
function isTooDeep(value: unknown, around: Set<object>, visited: Set<object>): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  if (around.has(value) || around.size > depthMax) return true;
  if (visited.has(value)) return false;
  around.add(value);
  if (Object.values(value).some((part) => isTooDeep(part, around, visited))) return true;
  around.delete(value);
  visited.add(value);
  return false;
}
