// JSON has no word for it, but numbers that are as large.
const endless = "\u0000endless";

/** JSON of a value that may hold Infinity, which `JSON.parse` reads as such. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_key, each: unknown) => (each === Infinity ? endless : each));
  return text.replaceAll(JSON.stringify(endless), "1e999");
}
