import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { argumentsForProcess, argumentsForThread } from "../../../actors/slots/inherited-arguments.ts";
import { quoted } from "../../../lib/core/quoted.ts";
import { runShell } from "../../kit/run-shell.ts";
import { projectFolder } from "../../kit/sources.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what slots inherit of Node's options");

test("the program of the command line isn't one of theirs, nor is the port of a debugger", () => {
  const given = ["--import", "tsx", "--input-type=module", "-e", "import('a')", "--inspect=0", "--stack-size=2000"];
  assert.equal(argumentsForProcess(given), ["--import", "tsx", "--stack-size=2000"]);
  assert.equal(argumentsForProcess(["--input-type", "module", "-p", "1", "--inspect-port", "9230", "--no-warnings"]), [
    "--no-warnings",
  ]);
  // A thread refuses what only a process can have.
  assert.equal(argumentsForThread(given), ["--import", "tsx"]);
  assert.equal(argumentsForThread(["--eval=1", "--require=./a.js", "--enable-source-maps", "--expose-gc"]), [
    "--require=./a.js",
    "--enable-source-maps",
  ]);
  assert.is(argumentsForThread(["--expose-gc", "--import", "tsx"]), undefined);
});

for (const isolation of ["thread", "process"] as const) {
  test(`a flow of a module runs in a ${isolation} from a program on the command line`, async () => {
    const flow = pathToFileURL(join(projectFolder, "dist/examples/wordcount.js")).href;
    const script = `import flow from "${flow}"; console.log(Object.keys(await flow.run({ path: "examples/README.md" }, { isolation: "${isolation}", slots: 2, store: "none" })))`;
    const ended = await runShell(`${quoted(process.execPath)} --input-type=module -e ${quoted(script)}`);
    assert.is(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, "counts");
  });
}

test.run();
