import * as assert from "uvu/assert";
import lesson4 from "../../../examples/lessons/lesson4.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../running.ts";
import { flightsBefore } from "../flights-file.ts";

const test = suite("example lesson 4");

const days = 2;
const expected = meansByLoop();

function meansByLoop(): Map<string, number> {
  const sums = new Map<string, { minutes: number; flights: number }>();
  for (const { destination, delay } of flightsBefore(1 + days)) {
    const sum = sums.get(destination) ?? { minutes: 0, flights: 0 };
    sums.set(destination, { minutes: sum.minutes + delay, flights: sum.flights + 1 });
  }
  return new Map([...sums].map(([airport, { minutes, flights }]) => [airport, minutes / flights]));
}

onEveryTopology(test, "gives the same means with and without pre-aggregation", async (session) => {
  const { everyFlight, preAggregated } = await lesson4.run({ days }, { on: session });
  assert.equal(new Map(everyFlight.map(({ airport, delay }) => [airport, delay])), expected);
  assert.equal(new Map(preAggregated.map(({ airport, delay }) => [airport, delay])), expected);
});

onThisMachine(test, "exchanges far less where it pre-aggregates", async () => {
  const execution = await lesson4.start({ days }, { slots: 2 });
  await execution.outputs;
  const taken = (step: string): number =>
    execution.metrics?.steps.find((one) => one.step === step)?.metrics.objectsIn ?? 0;
  assert.ok(taken("every flight") > 20_000);
  assert.ok(taken("pre-aggregated") > 0 && taken("pre-aggregated") < 1000);
});

onThisMachine(test, "prints what each step took", async () => {
  assert.match(await printedBy("lessons/lesson4"), /^pre-aggregated +merge-by-key/m);
});

test.run();
