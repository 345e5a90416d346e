/** A word as a shell takes it, to be pasted. */
export function quoted(word: string): string {
  return /^[\w./:=,@#-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
