import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseExploreOptions } from "../../../lib/cli/explore-options.ts";
import { exploreCommand } from "../../../lib/cli/explore-command.ts";
import { suite } from "../../kit/suite.ts";
import { compiledPath, flowPath, qstream } from "./command.ts";

const test = suite("qstream explore");
const module = compiledPath("explored.js");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in this process. */
async function exploreHere(words: readonly string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const writes = {
    stdout: process.stdout.write.bind(process.stdout),
    stderr: process.stderr.write.bind(process.stderr),
  };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = (text) => {
      said[name] += String(text);
      return true;
    };
  }
  try {
    return { code: await exploreCommand(words), ...said };
  } finally {
    for (const name of ["stdout", "stderr"] as const) process[name].write = writes[name];
  }
}

/** The words of the command that a violation names. */
function repeatingWords(stdout: string): readonly string[] {
  const command = /repeat it: npx qstream explore (?<words>.*)/u.exec(stdout)?.groups?.["words"] ?? "";
  return command.split(" ");
}

test("an exploration that holds says what its runs took, from TypeScript too", async () => {
  const ended = await qstream(["explore", flowPath("explored.ts"), "--seeds", "50"]);
  assert.is(ended.code, 0, ended.stderr + ended.stdout);
  assert.match(ended.stdout, /^additions: 50 seeds, \d+ steps, 0 faults/u);
  assert.match(ended.stdout, /messages 2 to 2, median 2/u);
});

test("a violation is shown, drawn, and repeated by the command that it names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const found = await exploreHere([`${module}#lost`, "--pictures", folder]);
    assert.is(found.code, 1);
    assert.match(found.stdout, /"nothing is lost" doesn't come to hold/u);
    assert.equal(
      readdirSync(folder)
        .map((name) => name.replace(/.*\./u, ""))
        .sort(),
      ["html", "svg"],
    );
    const again = await exploreHere(repeatingWords(found.stdout));
    assert.is(again.code, 1);
    const shown = (text: string): string => text.slice(text.indexOf("  step"), text.indexOf("pictures:") >>> 0).trim();
    assert.is(shown(again.stdout), shown(found.stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a seed in which all holds is drawn where it is named, without a violation", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const drawn = await exploreHere([module, "--seed", "7", "--pictures", folder]);
    assert.is(drawn.code, 0);
    const files = /^pictures: (?<files>.*)$/mu.exec(drawn.stdout)?.groups?.["files"]?.split(", ") ?? [];
    assert.equal(
      files,
      ["svg", "html"].map((ending) => join(folder, `additions-seed-7.${ending}`)),
    );
    const [svg = "", html = ""] = files.map((file) => readFileSync(file, "utf8"));
    assert.match(svg, /explored\.js --seed 7</u);
    assert.match(svg, /add 1/u);
    assert.not.match(svg, /class="violation/u);
    assert.not.match(html, /id="violation"/u);
    const many = await exploreHere([module, "--seeds", "3", "--pictures", join(folder, "many")]);
    assert.not.match(many.stdout, /pictures/u);
    const sizes = await exploreHere([module, "--seed", "7", "--sizes", "3,4", "--pictures", join(folder, "sizes")]);
    assert.match(sizes.stdout, /additions-3-machines-seed-7\.svg.*additions-4-machines-seed-7\.html/u);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a flow is explored, and a violation of it is repeated by the command that it names", async () => {
  const holds = await exploreHere([`${module}#flow`, "--seeds", "5"]);
  assert.is(holds.code, 0, holds.stderr + holds.stdout);
  assert.match(holds.stdout, /^counts: 5 seeds, [\d,]+ tasks, \d+ faults, /u);
  const found = await exploreHere([`${module}#forgetful`, "--seeds", "60"]);
  assert.is(found.code, 1, found.stderr + found.stdout);
  const words = repeatingWords(found.stdout);
  assert.equal([words[1], words[3]], ["--seed", "--only-faults"]);
  const again = await exploreHere(words);
  assert.is(again.code, 1, again.stderr);
  const shown = (text: string): string => text.slice(text.indexOf('"all are counted"')).trim();
  assert.is(shown(again.stdout), shown(found.stdout));
});

test("a flow is explored from TypeScript, and its report is JSON too", async () => {
  const ended = await qstream(["explore", `${flowPath("explored.ts")}#flow`, "--seeds", "2", "--json", "-"]);
  assert.is(ended.code, 0, ended.stderr + ended.stdout);
  const { name, seeds, tasks } = JSON.parse(ended.stdout) as Record<string, unknown>;
  assert.equal([name, seeds], ["counts", 2]);
  assert.ok((tasks as number) > 10);
});

test("all orders are tried, and one of them is repeated by its choices", async () => {
  const holds = await exploreHere([module, "--exhaustive"]);
  assert.is(holds.code, 0);
  assert.match(holds.stdout, /^additions: all orders, 2 executions of about \d+ orders, \d+ states/u);
  const found = await exploreHere([`${module}#lost`, "--exhaustive"]);
  assert.is(found.code, 1);
  const again = await exploreHere(repeatingWords(found.stdout));
  assert.is(again.code, 1, again.stdout);
  assert.match(again.stdout, /the sum is 1/u);
});

test("a handler that never ends is stopped, and told", async () => {
  const ended = await qstream(["explore", `${module}#endless`, "--seeds", "3", "--turn-ms", "400"]);
  assert.is(ended.code, null, ended.stderr + ended.stdout);
  assert.match(ended.stderr, /has been in step 4 of seed 1 for .*: wheel handles spin\. It, or a check/u);
  assert.match(ended.stderr, /what led there: npx qstream explore .*#endless'? --seed 1 --stop-at 3 /u);
});

test("an exploration that checks nothing is warned of", async () => {
  const { code, stdout } = await exploreHere([`${module}#unchecked`, "--seeds", "2"]);
  assert.is(code, 0);
  assert.match(stdout, /^warning: unchecked checks only that no actor fails/mu);
  assert.not.match((await exploreHere([module, "--seeds", "2"])).stdout, /warning/u);
});

test("long states are cut, or whole where that is asked for", async () => {
  const last = /, 98, 99\]$/mu;
  assert.not.match((await exploreHere([`${module}#long`, "--seeds", "1"])).stdout, last);
  assert.match((await exploreHere([`${module}#long`, "--seeds", "1", "--whole"])).stdout, last);
});

test("growth and a summary as JSON", async () => {
  const sizes = await exploreHere([module, "--sizes", "3,5,9", "--seeds", "10"]);
  assert.match(sizes.stdout, /machines +messages.*\n +3 +2 .*\n +5 +4 .*\n +9 +8 .*\ngrows as +N\^1\.2\d/u);
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const file = join(folder, "report.json");
    assert.is((await exploreHere([`${module}#lost`, "--json", file])).code, 1);
    const { violation } = JSON.parse(readFileSync(file, "utf8")) as {
      violation: { invariant: string; command: string };
    };
    assert.is(violation.invariant, "nothing is lost");
    assert.match(violation.command, /^npx qstream explore /u);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is wrong with the words is told, with code 2", async () => {
  const wrong: readonly [readonly string[], RegExp][] = [
    [[], /which exploration/u],
    [[module, "other.ts"], /one exploration at a time/u],
    [["missing.ts"], /there is no module/u],
    [[`${module}#none`], /has no exploration "none". It has: .*#lost/u],
    [[flowPath("words.ts")], /has no default export that is an exploration/u],
    [[module, "--seedz", "3"], /did you mean --seeds/u],
    [[module, "--seeds", "x"], /--seeds x: a whole number/u],
    [[module, "--seed", "1", "--seeds", "3"], /--seed is one of them/u],
    [[module, "--only-faults", "z9"], /"z9" is no fault/u],
    [[module, "--only-faults", "kill"], /"kill" is no fault of an exploration of actors/u],
    [[`${module}#flow`, "--only-faults", "m3"], /"m3" is no fault that strikes flows/u],
    [[`${module}#flow`, "--steps", "3"], /`steps` is of explorations of actors/u],
    [[`${module}#flow`, "--whole"], /--whole is of explorations of actors/u],
    [[module, "--seed", "3", "--only-faults", "99"], /seed 3 has no fault "99"/u],
    [[`${module}#flow`, "--exhaustive"], /`exhaustive` is of explorations of actors/u],
    [[`${module}#flow`, "--pictures", "there"], /`pictures` is of explorations of actors/u],
    [[module, "--only-delays", "9-3"], /numbers are wanted/u],
    [[module, "--losses", "1"], /--losses goes with --exhaustive/u],
    [[module, "--exhaustive", "--steps", "3"], /--steps is of runs of seeds/u],
    [[module, "--exhaustive", "--choices", "a"], /--choices a/u],
    [[module, "--exhaustive", "--reduction", "much"], /one of races, states, none/u],
  ];
  for (const [words, message] of wrong) {
    const ended = await exploreHere(words);
    assert.is(ended.code, 2, words.join(" "));
    assert.match(ended.stderr, message);
  }
});

test("lists of numbers may have ranges", () => {
  const parsed = parseExploreOptions(["x.ts", "--seed", "3", "--only-delays", "1-3,9", "--only-faults", "1,m17,skew"]);
  assert.equal(parsed?.options.onlyDelays, [1, 2, 3, 9]);
  assert.equal(parsed?.options.onlyFaults, ["1", "m17", "skew"]);
  assert.equal(parseExploreOptions(["x.ts", "--only-faults", "none"])?.options.onlyFaults, []);
});

test("a file for the report that can't be written is refused before anything runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-explore-"));
  try {
    const wrong = ["/dev/null/x", folder, ...(process.platform === "linux" ? ["/proc/qstream"] : [])];
    for (const json of wrong) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const refused = await exploreHere([module, "--seeds", "2", "--json", json]);
      assert.is(refused.code, 2, json);
      assert.match(refused.stderr, /--json .*: /u);
      assert.is(refused.stdout, "", json);
    }
    const file = join(folder, "report.json");
    assert.is((await exploreHere([module, "--seeds", "2", "--json", file])).code, 0);
    assert.is((JSON.parse(readFileSync(file, "utf8")) as { seeds: number }).seeds, 2);
    const pictures = join(folder, "report.json", "there");
    assert.is((await exploreHere([module, "--seed", "2", "--pictures", pictures])).code, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("of several numbers of machines a table is shown, and no line of the last", async () => {
  const sizes = await exploreHere([module, "--seeds", "2", "--sizes", "2,3"]);
  assert.is(sizes.code, 0, sizes.stderr);
  assert.match(sizes.stdout, /machines +messages/u);
  assert.not.match(sizes.stdout, /a run: /u);
});

test.run();
