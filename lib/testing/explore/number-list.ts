/** Numbers in ascending order as a short text: `1-4,9`; `none` for none. */
export function numberList(numbers: Iterable<number>): string {
  const sorted = [...new Set(numbers)].sort((one, other) => one - other);
  const parts: string[] = [];
  for (let index = 0; index < sorted.length;) {
    const from = sorted[index] as number;
    let to = from;
    while (sorted[index + 1] === to + 1) {
      to++;
      index++;
    }
    index++;
    parts.push(from === to ? String(from) : `${from}-${to}`);
  }
  return parts.length === 0 ? "none" : parts.join(",");
}

/** The numbers of such a text; undefined for a text that is none. */
export function numbersOf(text: string): ReadonlySet<number> | undefined {
  if (text === "none") return new Set();
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/u.exec(part.trim());
    if (match === null) return undefined;
    const [, from = "", to = from] = match;
    if (Number(to) < Number(from) || Number(to) - Number(from) > 1_000_000) return undefined;
    for (let number = Number(from); number <= Number(to); number++) numbers.add(number);
  }
  return numbers;
}
