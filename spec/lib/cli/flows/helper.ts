import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Prints while the module loads: it must not get into a JSON document.
console.log("helper was loaded");

/** Makes a word loud. */
export function loud(word: string): string {
  console.log(`loud is called with ${word}`);
  return `${word.toUpperCase()}!`;
}

/** Whether `import.meta.url` is the URL of this very file. */
export const knowsItself: boolean =
  existsSync(fileURLToPath(import.meta.url)) && /\/helper\.(ts|js)$/.test(import.meta.url);
