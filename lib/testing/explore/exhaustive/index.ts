// All orders of small systems of actors, but for those that nobody can tell apart.
export { choicesOfWords, choiceWords } from "./choice-words.ts";
export {
  exploreAll,
  show as showChoices,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type FoundExecution,
} from "./explore-all.ts";
export type { ChoiceMade, Reduction } from "./search.ts";
