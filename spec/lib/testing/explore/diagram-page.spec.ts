import { Script } from "node:vm";
import * as assert from "uvu/assert";
import { formatTrace, spaceTimeHtml } from "../../../../lib/testing/explore/diagram/index.ts";
import type { PageData } from "../../../../lib/testing/explore/diagram/page-data.ts";
import { pageScript } from "../../../../lib/testing/explore/diagram/page-script.ts";
import { suite } from "../../../kit/suite.ts";
import { longGossip, raftElection, twoPhaseCommit } from "./made-traces.ts";

const test = suite("pages and texts of runs");

const dataOf = (html: string): PageData =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/su.exec(html)?.[1] ?? "") as PageData;

test("a page of 2,000 steps has them all, in the picture and in the list, in reasonable time and size", () => {
  const trace = longGossip(2_000);
  const started = performance.now();
  const html = spaceTimeHtml(trace);
  assert.ok(performance.now() - started < 5_000);
  assert.is((html.match(/<li /gu) ?? []).length, 2_000);
  assert.is((html.match(/<g class="step[ "]/gu) ?? []).length, 2_000);
  assert.is(dataOf(html).steps.length, 2_000);
  assert.is(dataOf(html).violated, 1_999);
  assert.ok(html.length < 4_000_000, `${html.length} characters`);
});

test("the script can be read by a browser and finds what it looks for, with a violation and a command and without", () => {
  assert.not.throws(() => new Script(pageScript));
  const { command: _, violation: __, ...plain } = raftElection();
  const found = (html: string): Set<string> => new Set([...html.matchAll(/ id="([\w-]+)"/gu)].map(([, id = ""]) => id));
  const wanted = new Set([...pageScript.matchAll(/byId\("(\w+)"\)/gu)].map(([, id = ""]) => id));
  assert.ok(wanted.size > 8);
  for (const id of wanted) {
    assert.ok(found(spaceTimeHtml(raftElection())).has(id), id);
    // Without a command there is nothing to copy, and the script asks before it listens.
    assert.is(found(spaceTimeHtml(plain)).has(id), id !== "command" && id !== "copy", id);
  }
});

test("each step says whose it is, whom it touches, and what became of its line", () => {
  const trace = twoPhaseCommit();
  const { lanes, steps, before } = dataOf(spaceTimeHtml(trace));
  assert.equal(lanes, ["coordinator", "stock", "payment", "shipping-and-handling-service"]);
  assert.equal([steps[0]?.lanes, steps[0]?.touches, steps[0]?.life], [[0], [0, 1, 2, 3], "alive"]);
  const crash = trace.steps.findIndex(({ kind }) => kind === "crash");
  assert.equal([steps[crash]?.life, steps[crash]?.state], ["crashed", undefined]);
  assert.equal(before, [{}, {}, {}, {}]);
});

test("what is left out before the first step leaves its states and crashes behind", () => {
  const trace = twoPhaseCommit();
  const crash = trace.steps.findIndex(({ kind }) => kind === "crash");
  const { before, steps } = dataOf(spaceTimeHtml(trace, { stepsMax: trace.steps.length - crash - 1 }));
  assert.is(steps[0]?.step, crash + 1);
  const state = trace.steps.findLast(
    ({ line, state }, index) => line === "coordinator" && index < crash && state,
  )?.state;
  assert.equal(before[0], { state, life: "crashed" });
  assert.is(before[1]?.life, "alive");
});

test("a page says which run it is, how to repeat it, and what was broken", () => {
  const html = spaceTimeHtml(raftElection());
  for (const part of [
    "<title>Raft election of five nodes · seed 11</title>",
    '<code id="command">npx qstream explore raft.js --seed 11 --steps 60</code>',
    "<strong>Violated at step 59: &quot;some node leads the newest term&quot; must hold at last</strong>",
    '<option value="4">n5</option>',
  ]) {
    assert.ok(html.includes(part), part);
  }
});

test("in a terminal the last steps before the violation are rows, with a column for each line", () => {
  const rows = formatTrace(twoPhaseCommit(), { stepsMax: 16, columns: 78 }).split("\n");
  assert.equal(rows.slice(0, 7), [
    "Two-phase commit, coordinator lost, seed 5",
    "repeat it: npx qstream explore raft.js --seed 5 --steps 24",
    "(8 earlier steps left out)",
    "",
    "  step       ms  coord… stock  payme… shipp…",
    "     8   18.467  ●      │      │      │       coordinator gets vote yes from…",
    "     9   18.467  x      │      │      │       coordinator crashes",
  ]);
  assert.equal(rows.slice(7, 9), [
    "    10   20.327  ·      │      │      │       lost: vote yes from payment to…",
    "    11    44.65  ·      │      │      ┼       shipping-and-handling-service t…",
  ]);
  assert.match(rows.at(-5) ?? "", /^> {3}23 /u);
  assert.equal(rows.slice(-4), [
    "",
    'Violated at step 23: "everybody decides" must hold at last',
    "  shipping-and-handling-service still waits for the decision when nothing more can happen",
    "",
  ]);
});

test("with too many lines for columns of their own rows do without", () => {
  const lines = Array.from({ length: 40 }, (_, index) => ({ id: `line ${index}` }));
  const text = formatTrace({
    title: "many",
    seed: 1,
    lines,
    steps: [{ at: 1, step: 1, line: "line 7", kind: "start" }],
  });
  assert.is(text, "many, seed 1\n\n  step  ms\n     1   1  line 7 starts\n");
});

test.run();
