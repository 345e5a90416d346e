import { register } from "node:module";
import type { Patch } from "./mutating-loader.ts";

let isRegistered = false;

/**
 * Imports a compiled module with changes in its text, or in that of modules that it imports by relative paths.
 *
 * @param path - below dist: "examples/algorithms/raft/exploration.js"
 */
export async function importMutant(path: string, patches: readonly Patch[]): Promise<Record<string, unknown>> {
  if (!isRegistered) register("./mutant-hooks.js", import.meta.url);
  isRegistered = true;
  const url = new URL(`../../${path}`, import.meta.url);
  url.searchParams.set("mutant", JSON.stringify(patches));
  return (await import(url.href)) as Record<string, unknown>;
}
