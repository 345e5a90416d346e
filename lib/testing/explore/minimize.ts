/**
 * The delta debugging of Zeller and Hildebrandt: takes out as much as it can so that a test still holds, larger pieces first.
 *
 * @param holds - whether the test holds with these only; it is known to hold with all
 * @returns what can't be missed, each by itself
 */
export async function minimize<T>(
  all: readonly T[],
  holds: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = all;
  if (kept.length > 0 && (await holds([]))) return [];
  let pieces = 2;
  while (kept.length >= 2) {
    const size = Math.ceil(kept.length / pieces);
    let found: readonly T[] | undefined;
    for (let from = 0; from < kept.length && found === undefined; from += size) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + size)];
      // oxlint-disable-next-line no-await-in-loop -- each decides on the next
      if (rest.length > 0 && (await holds(rest))) found = rest;
    }
    if (found !== undefined) {
      kept = found;
      pieces = Math.max(2, pieces - 1);
    } else if (size === 1) break;
    else pieces = Math.min(kept.length, pieces * 2);
  }
  return kept;
}
