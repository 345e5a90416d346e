import { join } from "node:path";
import * as assert from "uvu/assert";
import { projectFolder } from "../../kit/sources.ts";
import { checkCommand } from "../../../lib/cli/check-command.ts";
import { runShell } from "../../kit/run-shell.ts";
import { suite } from "../../kit/suite.ts";
import { runPrinted } from "../testing/confluence/run-printed.ts";
import { compiledPath, flowPath, qstream } from "./command.ts";

const test = suite("qstream check");

const flow = compiledPath("checked.js");

interface Summary {
  readonly steps: readonly {
    readonly step: string;
    readonly declares?: string;
    readonly objects: number;
    readonly seeds?: number;
    readonly counterExample?: { readonly objects: number; readonly command: string; readonly spec: string };
  }[];
}

/** The command in this process. */
async function checkHere(words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  const said: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text) => said.push(String(text)) > 0;
  try {
    const code = await checkCommand(words);
    return { code, stderr: said.join("") };
  } finally {
    process.stderr.write = write;
  }
}

test("a flow whose steps are what they declare gets a line for each, and writes nothing", async () => {
  const ended = await qstream(["check", flow, "--seeds", "30"]);
  assert.is(ended.code, 0, ended.stderr + ended.stdout);
  assert.match(ended.stdout, /^shelves \(hash-join\): 30 orders of 33 objects, ok$/mu);
  assert.match(ended.stdout, /^sums \(reduce-by-key\): 30 orders of \d+ objects, ok$/mu);
  assert.match(
    ended.stdout,
    /^few \(limit\): 30 orders of \d+ objects, ok; declared not confluent \(arbitrary choice\)$/mu,
  );
});

test("a step that claims too much fails, with a spec that runs and a command that repeats it", async () => {
  const words = ["check", `${flow}#last`, "--arg", "most=12"];
  const ended = await qstream([...words, "--json", "-"]);
  assert.is(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /last price \(LastPrice\): \d+ orders? of 12 objects, NOT CONFLUENT/u);
  const [step] = (JSON.parse(ended.stdout) as Summary).steps;
  assert.is(step?.declares, "confluent");
  const found = step?.counterExample;
  assert.is(found?.objects, 2);
  const program = `${process.execPath} ${join(projectFolder, "dist/lib/cli/main.js")}`;
  const again = await runShell((found?.command ?? "").replace("npx qstream", program));
  assert.is(again.code, 1, again.stderr);
  assert.match(again.stdout, "1 order of 12 objects, NOT CONFLUENT");
  assert.match(again.stdout, found?.spec ?? "nothing");
  const { code, output } = await runPrinted("checked", found?.spec ?? "");
  assert.is(code, 1);
  assert.match(output, /last price gives the same in both orders[^]*ERR_ASSERTION/u);
});

test("one step is checked alone, with as many objects as are asked for, of a flow that never ends", async () => {
  const words = ["check", `${flow}#endless`, "--step", "each once", "--objects", "7", "--seeds", "10"];
  const ended = await qstream(words);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^each once \(distinct\): 10 orders of 7 objects, ok$/mu);
});

test("flows in TypeScript, and those without operators, are checked as well", async () => {
  const ended = await qstream(["check", `${flowPath("checked.ts")}#plain`]);
  assert.is(ended.code, 0, ended.stderr);
  assert.is(ended.stdout, "this flow has no operators\n");
});

test("a wrong command says what is wrong, and a flow that fails why", async () => {
  for (const [words, what, code] of [
    [[], "which flow?", 2],
    [["nowhere.ts"], "there is no module", 2],
    [[`${flow}#lost`], "has no flow", 2],
    [[flow, "--seeds", "many"], "--seeds many", 2],
    [[flow, "--objects", "0"], "--objects 0", 2],
    [[flow, "--step", "shelfes"], 'Did you mean "shelves"?', 2],
    [[`${flow}#last`], "most", 2],
    [[`${flow}#failing`], "no more", 1],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const ended = await checkHere(words);
    assert.is(ended.code, code, words.join(" "));
    assert.match(ended.stderr, what);
  }
  const help = await qstream(["check", "--help"]);
  assert.is(help.code, 0);
  assert.match(help.stdout, "--objects N");
});

test.run();
