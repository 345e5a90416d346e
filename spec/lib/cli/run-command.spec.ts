// specs: timeout 120 s
// The command line as a user meets it: a process with words, streams and an exit code.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { compiledPath, flowPath, qstream, type Ended } from "./command.ts";

const test = suite("command line");
const folder = mkdtempSync(join(tmpdir(), "qstream-cli-spec-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Document {
  readonly execution: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly metrics: { readonly rowsRead: number; readonly steps: readonly unknown[] };
}

const expected = [0, 1].map((index) => ({ word: "SEA!", index, knowsItself: true }));

for (const isolation of ["thread", "process", "none"]) {
  test(`--json - prints one JSON document though user code prints everywhere (${isolation})`, async () => {
    const words = [
      "run",
      flowPath("words.ts"),
      "--arg",
      "word=sea",
      "--json",
      "-",
      "--slots",
      "2",
      "--isolation",
      isolation,
    ];
    const ended = await qstream(words);
    assert.is(ended.code, 0, ended.stderr);
    const document = JSON.parse(ended.stdout) as Document;
    assert.equal(Object.keys(document), ["execution", "outputs", "metrics"]);
    assert.equal(document.outputs, { words: expected });
    assert.is(document.metrics.rowsRead, 2);
    // What user code printed is not lost.
    for (const line of ["helper was loaded", "the builder runs", "loud is called with sea"])
      assert.match(ended.stderr, line);
  });
}

test("a compiled flow gives the same, as tables", async () => {
  const ended = await qstream([
    "run",
    compiledPath("words.js"),
    "--arg",
    "word=sea",
    "--arg",
    "times=1",
    "--slots",
    "1",
  ]);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /\nwords\nword +index +knowsItself\n-+ .*\nSEA! +0 +true\n/);
  assert.match(ended.stderr, /1 rows in .* of memory at most/);
});

test("--json FILE writes the document beside the tables", async () => {
  const file = join(folder, "result.json");
  const ended = await qstream([
    "run",
    `${compiledPath("words.js")}#untyped`,
    "--arg",
    "word=12",
    "--json",
    file,
    "--slots",
    "1",
  ]);
  assert.is(ended.code, 0, ended.stderr);
  // Without a declaration, arguments are strings.
  assert.equal((JSON.parse(readFileSync(file, "utf8")) as Document).outputs, { words: ["12", "string"] });
  assert.match(ended.stdout, "\nwords\n");
});

test("--quiet prints nothing, and an empty flow ends in time", async () => {
  const ended = await qstream(["run", `${compiledPath("words.js")}#nothing`, "--quiet"]);
  assert.is(ended.code, 0, ended.stderr);
  assert.equal([ended.stdout.replaceAll("helper was loaded\n", ""), ended.stderr], ["", ""]);
  // The bench holds the real limit; this one is for a machine under load.
  assert.ok(ended.milliseconds < 8000, `${ended.milliseconds} ms`);
});

test("--explain draws the plan in three languages and reads nothing", async () => {
  const explain = (form: string): Promise<Ended> =>
    qstream(["run", compiledPath("words.js"), "--arg", "word=a", form, "--slots", "3"]);
  const [text, mermaid, dot] = await Promise.all(["--explain", "--explain=mermaid", "--explain=dot"].map(explain));
  assert.match(text?.stdout ?? "", /flow .* on 3 slots[^]*words: reader/);
  assert.match(mermaid?.stdout ?? "", /^flowchart LR$/m);
  assert.match(dot?.stdout ?? "", /^digraph /m);
  for (const ended of [text, mermaid, dot]) assert.is(ended?.code, 0);
  assert.not.match(text?.stdout ?? "", "loud is called");
});

test("an error of user code names step, line of the TypeScript source, and exits with 1", async () => {
  for (const isolation of ["thread", "process"]) {
    // oxlint-disable-next-line no-await-in-loop -- two cores
    const ended = await qstream(["run", flowPath("failing.ts"), "--isolation", isolation, "--slots", "1"]);
    assert.is(ended.code, 1);
    assert.match(ended.stderr, /\[STEP_FAILED\].*explode/);
    assert.match(ended.stderr, "RangeError: dynamite is too much");
    assert.match(ended.stderr, `${flowPath("failing.ts")}:8:`);
    // Our own frames would only hide the user's.
    assert.not.match(ended.stderr, "functions.ts");
  }
});

test("a run that fails, but is kept, ends with the command that goes on with it", async () => {
  const store = `lmdb:${join(folder, "kept store")}`;
  const ended = await qstream(["run", flowPath("failing.ts"), "--store", store, "--slots", "1", "--quiet"]);
  assert.is(ended.code, 1);
  const { execution } = /^To go on with it: npx qstream run .*failing\.ts --resume (?<execution>run-\w+) /mu.exec(
    ended.stderr,
  )?.groups ?? { execution: "" };
  assert.match(ended.stderr, ` --store '${store}'\n`);
  const listed = await qstream(["executions", "--store", store, "--json"]);
  assert.match(listed.stdout, `"${execution}"`);
  const forgotten = await qstream(["run", flowPath("failing.ts"), "--store", "memory", "--slots", "1"]);
  assert.not.match(forgotten.stderr, "To go on");
});

test("paths of files that were written are whole, to be copied", async () => {
  const out = join(folder, "a folder with a name that is much longer than a cell of a table");
  const words = ["run", `${compiledPath("fragile.js")}#writing`, "--arg", `marker=${compiledPath("fragile.js")}`];
  const ended = await qstream([...words, "--arg", `out=${out}`, "--slots", "1"]);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /\nwritten\nfiles +rows +bytes\n.*\n +1 +100 +\d+\n/);
  assert.match(ended.stdout, `\n  ${join(out, "part-00000.jsonl")}\n`);
});

test("asking for executions makes no folder", async () => {
  const gone = join(folder, "gone");
  const listed = await qstream(["executions", "--store", `lmdb:${gone}`]);
  assert.is(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, `no executions: there is no folder ${gone}`);
  const shown = await qstream(["executions", "show", "run-1", "--store", `lmdb:${gone}`]);
  assert.match(shown.stderr, "EXECUTION_UNKNOWN");
  assert.not(existsSync(gone));
});

test("more memory than --memory is a lost slot, said in clear words", async () => {
  const ended = await qstream([
    "run",
    `${compiledPath("stuck.js")}#hungry`,
    "--memory",
    "32MB",
    "--slots",
    "1",
    "--quiet",
  ]);
  assert.is(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /\[SLOT_LOST\] .*slot-0.*memory.*--memory/s);
});

const commands: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ["no command", [], 2, /Usage/],
  ["an unknown command", ["walk"], 2, /there is no command "walk"\nTry: qstream help/],
  ["help for an unknown command", ["help", "walk"], 2, /there is no command "walk"\nTry: qstream help/],
  ["executions of a store that keeps nothing", ["executions", "--store", "memory"], 2, /"memory" keeps nothing/],
  ["executions of no store", ["executions", "--store", "sqlite:x"], 2, /no store "sqlite:x".*lmdb:<folder>/],
  ["a store that is none", ["run", "a.ts", "--store", "sqlite:x"], 2, /no store "sqlite:x".*\nTry: qstream help run/],
  ["a file for --json without a name", ["run", "a.ts", "--json="], 2, /--json has an empty value/],
  ["no flow", ["run"], 2, /which flow\?/],
  ["an unknown option", ["run", "a.ts", "--fast"], 2, /there is no option --fast\nTry: qstream help run/],
  ["a module that isn't there", ["run", "gone.ts"], 2, /\[PATH_NOT_FOUND\] there is no module .*gone\.ts/],
  ["a folder", ["run", "."], 2, /is no module/],
  ["a file that is no module", ["run", "README.md"], 2, /is no module/],
  ["a flow that isn't there", ["run", `${compiledPath("words.js")}#wrods`], 2, /no flow "wrods".*words\.js#untyped/s],
  ["a module without flows", ["run", compiledPath("helper.js")], 2, /no default export that is a flow.*defineFlow\(/s],
  [
    "a missing argument",
    ["run", compiledPath("words.js")],
    2,
    /needs the argument word\. Arguments: word=<string>, times=<int32> \(optional\)/,
  ],
  ["an unknown argument", ["run", compiledPath("words.js"), "--arg", "wrod=a"], 2, /has no argument "wrod"/],
  [
    "an argument named like a method",
    ["run", compiledPath("words.js"), "--arg", "toString=a"],
    2,
    /has no argument "toString"/,
  ],
  [
    "an argument of another type",
    ["run", compiledPath("words.js"), "--arg", "word=a", "--arg", "times=2.5"],
    2,
    /"2.5" is not of type int32/,
  ],
  ["an argument without value", ["run", compiledPath("words.js"), "--arg", "word"], 2, /isn't of the form name=value/],
  [
    "an argument twice",
    ["run", compiledPath("words.js"), "--arg", "word=a", "--arg", "word=b"],
    2,
    /word is given twice/,
  ],
  [
    "a folder for --json that isn't there",
    ["run", compiledPath("words.js"), "--json", "gone/a.json"],
    2,
    /no folder .*gone/,
  ],
];

for (const [what, words, code, message] of commands) {
  test(`refused with advice: ${what}`, async () => {
    const ended = await qstream(words);
    assert.is(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
    assert.not.match(ended.stderr, /^\s+at /m);
  });
}

test("a module that can't be compiled, or throws when it loads, says where", async () => {
  const modules = {
    "syntax.ts": ["export default (;\n", 2, /syntax\.ts:1:17: Unexpected ";"/],
    "missing.ts": ['\nimport "./gone.ts";\n', 2, /missing\.ts:2:8: Could not resolve "\.\/gone\.ts"/],
    "package.ts": [
      'import x from "no-such-package";\nexport default x;\n',
      2,
      /package\.ts:1:15: Could not resolve "no-such-package"/,
    ],
    "throws.ts": ["type A = 1;\nthrow new TypeError('too early');\n", 1, /TypeError: too early\n.*throws\.ts:2:7/],
    "syntax.mjs": ["export default (;\n", 1, /SyntaxError/],
  } as const;
  for (const [name, [text, code, message]] of Object.entries(modules)) {
    writeFileSync(join(folder, name), text);
    // oxlint-disable-next-line no-await-in-loop -- two cores
    const ended = await qstream(["run", name], { cwd: folder });
    assert.is(ended.code, code, `${name}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
  }
});

test("help and version answer", async () => {
  const [general, ofRun, version] = await Promise.all(
    [["--help"], ["run", "--help"], ["--version"]].map((words) => qstream(words)),
  );
  assert.match(general?.stdout ?? "", "qstream run FLOW");
  for (const option of ["--arg", "--slots", "--isolation", "--memory", "--json", "--explain", "--quiet"])
    assert.match(ofRun?.stdout ?? "", option);
  assert.match(version?.stdout ?? "", /^\d+\.\d+\.\d+\n$/);
  for (const ended of [general, ofRun, version]) assert.is(ended?.code, 0);
});

test("a timer that user code left behind doesn't keep the command", async () => {
  const file = join(folder, "timer.ts");
  const flow = 'export default defineFlow(import.meta.url, (q) => ({ out: q.read("a", items([1])).collect() }));';
  writeFileSync(file, `import { defineFlow, items } from "qstream";\nsetInterval(() => {}, 1000);\n${flow}\n`);
  const ended = await qstream(["run", file, "--slots", "1", "--quiet"]);
  assert.is(ended.code, 0, ended.stderr);
});

test("a reader that has seen enough is no error", async () => {
  const ended = await qstream(["run", compiledPath("words.js"), "--arg", "word=a", "--explain"], { deaf: true });
  assert.is(ended.code, 0, ended.stderr);
  assert.is(ended.stderr, "");
});

test.run();
