// node run-losses.js FIRST COUNT [PATCHES]: runs random systems of actors on nodes that are lost, from so many seeds, with a broken
// engine where there are patches. Prints the first seed that fails and why, and ends with code 1 then.
import { register } from "node:module";
import type { Patch } from "../../../kit/mutating-loader.ts";

const [, , first = "1", count = "100", patches = "[]"] = process.argv;
const changes = JSON.parse(patches) as Patch[];
if (changes.length > 0) register("../../../kit/mutating-loader.js", import.meta.url, { data: changes });

const { RandomLosses } = await import("./random-losses.ts");
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  try {
    // oxlint-disable-next-line no-await-in-loop -- they share a thread
    await new RandomLosses(seed).check(true);
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? "").split("\n").slice(0, 12).join("\n") : String(error);
    console.log(`seed ${seed}: ${why}`);
    process.exit(1);
  }
}
