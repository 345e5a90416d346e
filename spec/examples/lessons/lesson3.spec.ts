import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import lesson3 from "../../../examples/lessons/lesson3.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../running.ts";
import { dataFile, flightsLaterThan } from "../flights-file.ts";

const test = suite("example lesson 3");

const delay = 900;
const expected = countByLoop();

function countByLoop(): Map<string, number> {
  const late = new Set(flightsLaterThan(delay).map(({ origin }) => origin));
  const counts = new Map<string, number>();
  // The last four fields of a row have neither quotes nor commas.
  for (const row of readFileSync(dataFile("airports.csv"), "utf8").trim().split(/\r?\n/).slice(1)) {
    const [iata = "", ...rest] = row.split(",");
    const state = rest.at(-4) ?? "";
    if (late.has(iata)) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

onEveryTopology(test, "counts the airports that a loop finds", async (session) => {
  const { states } = await lesson3.run({ delay }, { on: session });
  assert.equal(new Map(states.map(({ key, value }) => [key, value])), expected);
});

onThisMachine(test, "reads the build side first, and only the rows that meet the condition", async () => {
  const plan = lesson3.explain({}, { slots: 2 });
  assert.match(plan, /right <- late flights: .*stage 0/);
  assert.match(plan, /left <- airports: .*stage 1/);
  const text = await printedBy("lessons/lesson3");
  const rows = Number(/(\d+) rows read/.exec(text)?.[1]);
  assert.ok(rows > 3376 && rows < 5000, `${rows} rows are the airports and the late flights`);
});

test.run();
