import * as assert from "uvu/assert";
import { runShell } from "../kit/run-shell.ts";
import { suite } from "../kit/suite.ts";

const test = suite("the runner of specs");

const program = `import { runSpecs, totalsLine } from "./scripts/specs.mjs";
const totals = await runSpecs({ ending: ".fixture.ts", patterns: ["noting"], fileSeconds: 30, overallSeconds: 60 });
console.log(totalsLine(totals));`;

test("notes of a file that passes are shown below its line, and nothing else that it prints", async () => {
  const { code, stdout, stderr } = await runShell(`"${process.execPath}" --input-type=module -e '${program}'`);
  assert.is(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^ok {5}spec\/scripts\/noting\.fixture\.ts {2}1 passed, 0 failed, 0 skipped/u);
  assert.equal(
    lines.slice(1).map((line) => line.trim()),
    ["note: 3 of 4 done", "note: survived: one", "1 passed, 0 failed, 0 skipped"],
  );
});

test.run();
