import { QStreamError } from "./errors.ts";

type NameIn<Options> = Options extends unknown ? keyof Options & string : never;

/** The names of all options of a type: the compiler sees to it that none is forgotten, and none left over. */
export function namesOf<Options>(names: Readonly<Record<NameIn<Options>, true>>): readonly string[] {
  return Object.keys(names);
}

/**
 * Refuses options that there aren't: what is misspelt would be passed over without a word. For those who have no compiler to say
 * so, and for objects that were put together elsewhere, which it doesn't look at.
 *
 * @param of - what they are options of: `operator "sums"`, `toCsv()`
 * @param known - the options that there are
 * @throws QStreamError OPTION_INVALID, with the nearest name that there is
 */
export function checkOptionNames(of: string, options: unknown, known: readonly string[]): void {
  const list = `${of} has ${known.length === 0 ? "none" : `the options ${known.join(", ")}`}`;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const what = Array.isArray(options) ? "an array" : JSON.stringify(options)?.slice(0, 80);
    throw new QStreamError("OPTION_INVALID", `the options of ${of} are ${what ?? typeof options}, not an object`, {
      advice: list,
    });
  }
  const wrong = Object.keys(options).find((name) => !known.includes(name));
  if (wrong === undefined) return;
  const nearest = nearestWord(wrong, known);
  throw new QStreamError("OPTION_INVALID", `${of} has no option "${wrong.slice(0, 80)}"`, {
    advice: nearest === undefined ? `${list[0]?.toUpperCase()}${list.slice(1)}` : `Did you mean "${nearest}"?`,
  });
}

/** The word that somebody may have meant, if one is near: a third of its letters may be wrong, left out, or in the wrong order. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of words) {
    const steps = stepsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (steps >= least || steps > Math.max(1, Math.floor(candidate.length / 3))) continue;
    nearest = candidate;
    least = steps;
  }
  return nearest;
}

/** How many letters are to be put in, taken out, replaced, or changed for their neighbours, to make one word of another. */
function stepsBetween(from: string, to: string): number {
  // Nobody means a word by one that is many times as long.
  if (Math.abs(from.length - to.length) > to.length) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const now = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      now[column] = Math.min(
        at(now, column - 1) + 1,
        at(last, column) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, now];
  }
  return at(last, to.length);
}

function at(numbers: readonly number[], index: number): number {
  return numbers[index] ?? Number.POSITIVE_INFINITY;
}
