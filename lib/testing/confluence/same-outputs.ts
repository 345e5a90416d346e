import { inspect, type InspectOptions } from "node:util";

const whole: InspectOptions = {
  depth: Infinity,
  maxArrayLength: Infinity,
  maxStringLength: Infinity,
  breakLength: Infinity,
  compact: true,
  sorted: true,
  customInspect: false,
};

/** True if both hold equal objects equally often. Whatever may be given can be compared, also what can't travel. */
export function sameObjects(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  const counts = new Map<string, number>();
  for (const object of left) count(counts, inspect(object, whole), 1);
  for (const object of right) count(counts, inspect(object, whole), -1);
  return counts.size === 0;
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

/** Objects on one line, of which only the beginning is shown where they are many. */
export function shortly(objects: unknown): string {
  return inspect(objects, { depth: 4, maxArrayLength: 12, maxStringLength: 80, breakLength: Infinity, compact: true });
}
