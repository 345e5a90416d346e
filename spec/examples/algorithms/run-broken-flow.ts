// node run-broken-flow.js PATCHES MODULE: runs the export `check` of a module of specs while modules are changed. Ends with code 1,
// and what was found, if it finds something.
import { register } from "node:module";

const [, , patches = "[]", checks = ""] = process.argv;
register("../../kit/mutating-loader.js", import.meta.url, { data: JSON.parse(patches) });

try {
  const { check } = (await import(checks)) as { check: () => Promise<void> };
  await check();
  process.exit(0);
} catch (error) {
  process.stderr.write(String(error), () => process.exit(1));
}
