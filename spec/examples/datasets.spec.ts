import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { load, northernmost, perState } from "../../examples/datasets.ts";
import { suite } from "../kit/suite.ts";
import { dataFile } from "./flights-file.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example datasets");

/** Rows of airports.csv, whose last four fields have no quotes and commas. */
function readAirports(): { iata: string; state: string; height: number }[] {
  const rows = readFileSync(dataFile("airports.csv"), "utf8").trim().split(/\r?\n/).slice(1);
  return rows.flatMap((row) => {
    const [iata = "", ...rest] = row.split(",");
    const [city, state = "", , latitude] = rest.slice(-5);
    return city === "" || state === "" ? [] : [{ iata, state, height: Math.round((Number(latitude) * 10_000) / 90) }];
  });
}

onEveryTopology(test, "two flows read what the first one kept", async (session) => {
  const expected = readAirports();
  const { airports } = await load.run({}, { on: session });
  assert.is(airports.rows, expected.length);
  const [{ states }, { north }] = await Promise.all([
    perState.run({ airports }, { on: session }),
    northernmost.run({ airports }, { on: session }),
  ]);
  const counts = new Map<string, number>();
  for (const { state } of expected) counts.set(state, (counts.get(state) ?? 0) + 1);
  assert.equal(new Map(states.map(({ key, value }) => [key, value])), counts);
  const first = expected.toSorted((a, b) => b.height - a.height || (a.iata < b.iata ? 1 : -1)).slice(0, 5);
  assert.equal(
    north.map(({ iata, height }) => ({ iata, height })),
    first.map(({ iata, height }) => ({ iata, height })),
  );
  airports.release();
});

onThisMachine(test, "prints both results", async () => {
  const text = await printedBy("datasets");
  assert.match(text, /^AK +263$/m);
  assert.match(text, /^BRW +Barrow +AK +7,921$/m);
});

test.run();
