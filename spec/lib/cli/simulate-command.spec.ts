import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { compiledPath, qstream } from "./command.ts";

const test = suite("qstream simulate");

const flow = compiledPath("simulated.js");

interface Summary {
  readonly seeds: number;
  readonly failure?: { readonly seed: number; readonly command: string };
  readonly faults: Readonly<Record<string, number>>;
}

test("seeds with faults that all give the same end well", async () => {
  const ended = await qstream(["simulate", flow, "--arg", "upTo=200", "--seeds", "60", "--parcel", "8", "--json", "-"]);
  assert.is(ended.code, 0, ended.stderr);
  const { seeds, failure, faults } = JSON.parse(ended.stdout) as Summary;
  assert.is(seeds, 60);
  assert.is(failure, undefined);
  assert.ok((faults["kill"] ?? 0) > 0);
  assert.match(ended.stderr, /60 seeds in .*faults: /u);
});

test("a seed that gives something else is printed with the command that repeats it", async () => {
  const words = ["simulate", `${flow}#first`, "--faults", "none", "--parcel", "4", "--from", "5"];
  const ended = await qstream([...words, "--json", "-"]);
  assert.is(ended.code, 1, ended.stderr);
  const { failure } = JSON.parse(ended.stdout) as Summary;
  const command = /^To see it again: npx qstream (?<words>.+)$/mu.exec(ended.stderr)?.groups?.["words"] ?? "";
  assert.is(`npx qstream ${command}`, failure?.command);
  assert.match(command, `--from ${failure?.seed}`);
  assert.match(command, `${flow}#first`);
  const again = await qstream(command.split(" "));
  assert.is(again.code, 1);
  assert.match(again.stderr, `seed ${failure?.seed}: its outputs differ`);
  assert.match(again.stderr, /several right results, because of first.* \(arbitrary choice\)/u);
  assert.match(again.stdout, /ms {2}client>slot-0 +order prepare/u);
});

test("--trace shows what happens with one seed", async () => {
  const words = ["simulate", flow, "--arg", "upTo=50", "--faults", "kill,drop", "--from", "8", "--trace"];
  const [once, again] = [await qstream(words), await qstream(words)];
  assert.is(once.code, 0, once.stderr);
  assert.match(once.stdout, /ms {2}fault +(?:kill|drop)/u);
  assert.match(once.stdout, /ms {2}execution +done/u);
  assert.is(once.stdout, again.stdout);
});

test("a wrong command says what is wrong", async () => {
  for (const [words, what] of [
    [["simulate"], "which flow?"],
    [["simulate", "nowhere.ts"], "there is no module"],
    [["simulate", flow, "--faults", "fire"], "--faults fire"],
    [["simulate", flow, "--seeds", "many"], "--seeds many"],
    [["simulate", flow, "--trace", "--seeds", "2"], "--trace shows one seed"],
    [["simulate", flow, "--settings", "taskMs=5"], "--settings taskMs=5 isn't JSON"],
    [["simulate", flow, "--settings", '{"taskMS":5}'], 'Did you mean "taskMs"?'],
  ] as const) {
    const ended = await qstream(words);
    assert.is(ended.code, 2, words.join(" "));
    assert.match(ended.stderr, what);
  }
  const help = await qstream(["simulate", "--help"]);
  assert.is(help.code, 0);
  assert.match(help.stdout, "--faults KINDS");
});

test.run();
