/**
 * Generates a function from text, or undefined where this process was told not to. Code of one source shares its inline
 * caches among all closures made of it; a loop that must be fast for each flow needs a source of its own.
 *
 * @param names - parameters of the outer function, by which `values` are known in `body`
 * @param body - must return the function; only texts written here and JSON strings may be put into it
 */
export function generate<F>(names: readonly string[], body: string, values: readonly unknown[]): F | undefined {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- see the contract above
    return new Function(...names, `"use strict";\n${body}`)(...values) as F;
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
