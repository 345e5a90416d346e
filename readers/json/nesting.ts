/** Levels of arrays and objects within a value's own: deeper ones can't travel between slots. */
export const levelsMax = 1000;

/**
 * Whether a parsed value is nested deeper than `levelsMax` levels. Most texts have fewer brackets than that, which costs
 * next to nothing to find out.
 */
export function isNestedTooDeep(text: string, value: unknown): boolean {
  return text.length > 2 * levelsMax && hasManyBrackets(text) && isDeeper(value, levelsMax);
}

function hasManyBrackets(text: string): boolean {
  let brackets = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      brackets += 1;
      if (brackets > levelsMax) return true;
    }
  }
  return false;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels < 0) return true;
  if (Array.isArray(value)) return value.some((element) => isDeeper(element, levels - 1));
  for (const name in value) if (isDeeper((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
