// node run-examples.js EXAMPLE...: runs examples as programs, one after the other, with a line before what each of them prints.
import { fileURLToPath, pathToFileURL } from "node:url";
import { headOf } from "./running.ts";

for (const example of process.argv.slice(2)) {
  const program = fileURLToPath(new URL(`../../examples/${example}.js`, import.meta.url));
  // By this an example knows that it is the program.
  process.argv[1] = program;
  console.log(headOf(example));
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  await import(pathToFileURL(program).href);
}
