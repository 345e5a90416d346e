import * as assert from "uvu/assert";
import flights, { type TowerReport } from "../../examples/flights.ts";
import { suite } from "../kit/suite.ts";
import { flightsBefore } from "./flights-file.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example flights");
const all = flightsBefore(4);
const until = "2001-01-04";
const start = Date.UTC(2001, 0, 1);
const minuteMs = 60_000;

function expectedReport(iata: string): TowerReport {
  const slots = all
    .filter(({ origin }) => origin === iata)
    .map(({ time }) => Math.floor((time - start) / minuteMs / 10));
  const landed = all.filter(({ destination }) => destination === iata);
  const within = (from: number): number => slots.filter((slot) => slot >= from && slot < from + 6).length;
  const windows = Array.from({ length: 3 * 24 * 6 }, (_, from) => within(from));
  const rush = Math.max(...windows);
  const byDay = [0, 1, 2].map((day) => landed.filter(({ time }) => new Date(time).getUTCDate() === day + 1));
  const means = byDay.map((day) => (day.length < 20 ? 0 : day.reduce((sum, { delay }) => sum + delay, 0) / day.length));
  const worstDelay = Math.max(0, ...means);
  return {
    iata,
    takeOffs: slots.length,
    rush,
    rushFrom: new Date(start + windows.indexOf(rush) * 10 * minuteMs),
    landings: landed.length,
    late: landed.filter(({ delay }) => delay > 15).length,
    worstDay: worstDelay === 0 ? undefined : new Date(Date.UTC(2001, 0, 1 + means.indexOf(worstDelay))),
    worstDelay,
  };
}

onEveryTopology(test, "tells of the busiest airports what a plain count tells", async (session) => {
  const { busiest } = await flights.run({ until, top: 12 }, { on: session });
  const counts = new Map<string, number>();
  for (const { origin } of all) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const first = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? 1 : -1)).slice(0, 12);
  const reports = busiest.map(({ iata, city }) => ({ ...expectedReport(iata), city }));
  assert.equal(
    busiest.map(({ iata }) => iata),
    first.map(([iata]) => iata),
  );
  assert.equal(busiest, reports);
  assert.is(busiest.find(({ iata }) => iata === "ORD")?.city, "Chicago, IL");
});

onThisMachine(test, "states can be saved at any time", async () => {
  // As often as can be: the demo is over before a checkpoint is due otherwise.
  const options = { slots: 2, store: "memory", checkpointEveryMs: 1 } as const;
  const execution = await flights.start({ until, top: 3 }, options);
  const { busiest } = await execution.outputs;
  assert.equal(busiest[0]?.takeOffs, expectedReport(busiest[0]?.iata ?? "").takeOffs);
});

onThisMachine(test, "prints placement, table and summary, in lines that fit a terminal", async () => {
  const text = await printedBy("flights", ["--slots", "2", "--until", until]);
  assert.match(text, /Which channels ran where/);
  assert.match(text, /^towers +0, 2 +1, 3$/m);
  assert.match(text, /^ORD +Chicago, IL/m);
  assert.match(text, /rows in .* rows\/s, .* exchanged between slots, .* of memory/);
  assert.not.ok(text.includes("\u001b"), "progress bars stay out of standard output");
  assert.ok(Math.max(...text.split("\n").map((line) => line.length)) <= 100);
});

test.run();
