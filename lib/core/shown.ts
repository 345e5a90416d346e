import { inspect } from "node:util";

const textMax = 200;

/** A value in an error's words, as one would write it down: `'3'` and `3` differ, and what is long is cut. */
export function shown(value: unknown): string {
  const text = inspect(value, {
    depth: 2,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 3,
    maxStringLength: 80,
  });
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text;
}
