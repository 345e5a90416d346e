// node run-crashes.js FIRST COUNT [PATCHES]: runs random systems of durable actors from so many seeds, with a broken engine where there
// are patches. Prints the first seed that fails and why, and ends with code 1 then.
import { register } from "node:module";
import type { Patch } from "../../../kit/mutating-loader.ts";

const [, , first = "1", count = "100", patches = "[]"] = process.argv;
const changes = JSON.parse(patches) as Patch[];
if (changes.length > 0) register("../../../kit/mutating-loader.js", import.meta.url, { data: changes });

const { CrashingSystem } = await import("./crashing-system.ts");
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  try {
    await new CrashingSystem(seed).check();
  } catch (error) {
    console.log(
      `seed ${seed}: ${error instanceof Error ? (error.stack ?? "").split("\n").slice(0, 12).join("\n") : String(error)}`,
    );
    process.exit(1);
  }
}
