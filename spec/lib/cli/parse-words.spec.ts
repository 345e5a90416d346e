import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { usageError, unknownCommand } from "../../../lib/cli/help.ts";
import { parseWords } from "../../../lib/cli/parse-words.ts";
import { parseRunOptions } from "../../../lib/cli/run-options.ts";
import { parseSimulateOptions } from "../../../lib/cli/simulate-options.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";
import { compiledPath, qstream } from "./command.ts";

const test = suite("words of commands");
const folder = mkdtempSync(join(tmpdir(), "qstream-words-spec-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const options = {
  slots: { type: "string" },
  arg: { type: "string", multiple: true },
  quiet: { type: "boolean" },
  "turn-ms": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const parse = (...args: string[]) => parseWords({ args, options, allowPositionals: true });

/** What is said of words that are refused. */
function saidOf(parsed: () => unknown): string {
  try {
    parsed();
  } catch (error) {
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, "OPTION_INVALID");
    return (error as Error).message;
  }
  return assert.unreachable("they were taken") as never;
}

test("words that are right are what Node makes of them", () => {
  const { values, positionals } = parse("a", "--slots=2", "--arg", "x=", "--arg", "y", "--quiet", "--quiet", "-h", "b");
  assert.equal({ ...values }, { slots: "2", arg: ["x=", "y"], quiet: true, help: true });
  assert.equal(positionals, ["a", "b"]);
});

const wrong: readonly (readonly [words: readonly string[], said: string])[] = [
  [["--slot", "2"], "there is no option --slot; did you mean --slots?"],
  [["--slot=2"], "there is no option --slot; did you mean --slots?"],
  [["-slots", "2"], "there is no option -slots; did you mean --slots?"],
  [["--turnms", "2"], "there is no option --turnms; did you mean --turn-ms?"],
  [["--colour"], "there is no option --colour"],
  [["-x"], "there is no option -x"],
  [["--slots"], "--slots wants a value behind it"],
  [["--slots", "--quiet"], "--slots wants a value behind it; should --quiet be it, write --slots=--quiet"],
  [["--quiet=yes"], "--quiet takes no value: write it alone, or leave it out"],
  [["--help=yes"], "--help takes no value: write it alone, or leave it out"],
  [["--slots", "2", "--slots", "3"], "--slots is given twice, with 2 and 3: give it once"],
  [["--slots="], "--slots has an empty value: is a variable of the shell not set?"],
  [["--arg", ""], "--arg has an empty value: is a variable of the shell not set?"],
  [["a", ""], "one of the words is empty: is a variable of the shell not set?"],
];

for (const [words, said] of wrong) {
  test(`refused: ${words.join(" ")}`, () =>
    assert.is(
      saidOf(() => parse(...words)),
      said,
    ));
}

test("a command that takes options only says so", () => {
  assert.is(
    saidOf(() => parseWords({ args: ["it's"], options })),
    `"it's" is one word too many: this command takes options only`,
  );
});

test("a command that is misspelt, or is the path of a flow, is told what it may have meant", () => {
  assert.match(unknownCommand("rnu"), 'there is no command "rnu"; did you mean run?\nTry: qstream help\n');
  assert.match(unknownCommand("--hepl"), "did you mean --help?");
  assert.match(unknownCommand("flow.ts#more"), "to run it: qstream run flow.ts#more\n");
  assert.is(unknownCommand("zebra"), usageError('there is no command "zebra"'));
});

test("faults are named one by one, or all or none of them", () => {
  const faultsOf = (text: string): unknown => parseSimulateOptions(["flow.ts", "--faults", text]).faults;
  assert.equal(faultsOf("none"), []);
  assert.equal(faultsOf("kill, pause,kill"), ["kill", "pause"]);
  const said = (text: string): string => saidOf(() => faultsOf(text));
  assert.is(said("none,kill"), "--faults none,kill: none stands alone: write --faults none, or --faults kill");
  assert.is(said("all,all"), "--faults all,all: all stands alone: write --faults all");
  assert.is(said("kill,,pause"), "--faults kill,,pause: a comma too many: write --faults kill,pause");
  assert.match(said(","), /^--faults ,: it names none\. Write all, none, or some of restart, .*kill/);
  assert.is(said("kil"), "--faults kil: there is no fault kil. Did you mean kill?");
  assert.match(said("zebra"), /there is no fault zebra\. There are restart, .*pause/);
});

test("qstream executions says what it lacks, and where ids are", async () => {
  const cases = [
    [["show"], "show wants the id of an execution: qstream executions lists them"],
    [["remove"], "remove wants the id of an execution: qstream executions lists them"],
    [["remove", "a", "b"], "remove takes one execution, not a and b"],
    [["remvoe", "a"], 'executions has no "remvoe". Did you mean remove?'],
    [["run-12"], "For one execution write: qstream executions show run-12"],
    [["list", "--all"], "--all and --older-than are for remove, and not for list"],
    [["remove", "a", "--all"], "--all and --older-than are for remove, and not with a as well"],
    [
      ["remove", "--all", "--older-than", "1d"],
      "--all removes whatever has ended, and --older-than what was started long ago: give one",
    ],
    [["remove", "--older-than", "soon"], "--older-than soon: a duration is wanted, written like 90s, 30min, 12h or 7d"],
    [["list", "a"], "list takes no a: for one execution write qstream executions show a"],
  ] as const;
  const said = await Promise.all(cases.map(([words]) => qstream(["executions", ...words], { cwd: folder })));
  cases.forEach(([, message], index) => {
    assert.is(said[index]?.code, 2);
    assert.match(said[index]?.stderr ?? "", `${message}\nTry: qstream help executions\n`);
  });
  assert.equal(readdirSync(folder), []);
});

test("help is given whatever else is wrong, and a wrong store says who names it", async () => {
  assert.ok(parseRunOptions(["--help", "--slots", "0", "--upgrade"]).help);
  assert.ok(parseSimulateOptions(["--help", "--faults", "zebra"]).help);
  const before = process.env["QSTREAM_STORE"];
  try {
    process.env["QSTREAM_STORE"] = "zebra";
    assert.match(
      saidOf(() => parseRunOptions(["a.ts"])),
      /no store "zebra".* \(QSTREAM_STORE names it\)$/,
    );
    assert.not.match(
      saidOf(() => parseRunOptions(["a.ts", "--store", "lion"])),
      "QSTREAM_STORE",
    );
    const checkpoints = saidOf(() => parseRunOptions(["a.ts", "--store", "memory", "--checkpoints", "a*b"]));
    assert.not.match(checkpoints, "QSTREAM_STORE");
  } finally {
    if (before === undefined) delete process.env["QSTREAM_STORE"];
    else process.env["QSTREAM_STORE"] = before;
  }
});

test("what simulate and explain are told wrongly is exit code 2, as run's", async () => {
  const flow = compiledPath("simulated.js");
  const [json, argument] = await Promise.all([
    qstream(["simulate", flow, "--json", join(folder, "gone/a.json")]),
    qstream(["explain", compiledPath("words.js"), "--arg", "nothing=1"]),
  ]);
  assert.is(json.code, 2, json.stderr);
  assert.match(json.stderr, "there is no folder");
  assert.is(argument.code, 2, argument.stderr);
  assert.match(argument.stderr, "[ARGUMENT_INVALID]");
});

test.run();
