/**
 * Says something that is shown also where the file passes, below its line: how much of what was wanted was done, what survived.
 * Each line gets the mark that the runner looks for (`scripts/specs.mjs`).
 */
export function note(text: string): void {
  // uvu doesn't end its own line before a test has ended.
  process.stdout.write(`\n${noteLines(text)}\n`);
}

/** The lines of a text as the runner finds them. */
export function noteLines(text: string): string {
  return text
    .split("\n")
    .map((line) => `note: ${line}`)
    .join("\n");
}
