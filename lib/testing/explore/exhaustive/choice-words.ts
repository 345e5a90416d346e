import type { Alternative } from "./choice-run.ts";
import type { ChoiceMade } from "./search.ts";

const letters: Readonly<Record<Alternative, string>> = { come: "", lose: "l", repeat: "r", crash: "c" };
// What breaks before the first choice has none.
const noChoices = "none";

/** Choices as a command has them: which of those that could go on, and what went wrong with it: `0,2,1l`; `none` for none. */
export function choiceWords(choices: readonly ChoiceMade[]): string {
  if (choices.length === 0) return noChoices;
  return choices.map(({ index, alternative }) => `${index}${letters[alternative]}`).join(",");
}

/** The choices of such a text; undefined for a text that is none. */
export function choicesOfWords(text: string): readonly ChoiceMade[] | undefined {
  if (text === noChoices) return [];
  const choices: ChoiceMade[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d{1,6})([lrc]?)$/u.exec(part.trim());
    if (match === null) return undefined;
    const [, index = "", letter = ""] = match;
    const alternative = (Object.keys(letters) as Alternative[]).find((each) => letters[each] === letter) ?? "come";
    choices.push({ index: Number(index), process: "", alternative });
  }
  return choices;
}
