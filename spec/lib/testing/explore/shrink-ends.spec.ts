import * as assert from "uvu/assert";
import { actor, type AnyReference } from "../../../../lib/index.ts";
import { defineExploration, findViolation } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { gotOf, sending, sink } from "./sending.ts";

const test = suite("shrinking what is seen at the end");
const url = import.meta.url;

/** Reads go down where messages overtake each other: what was wrong once stays wrong. */
const overtaken = defineExploration<{ to: AnyReference }>(url, {
  name: "overtaken",
  start(world) {
    const to = world.spawn(sink, undefined, { name: "to" });
    const counter = actor({
      kind: "counter",
      init: (_: undefined, ctx) => {
        ctx.every(5, "tick");
        return { at: 0 };
      },
      receive: { tick: (state) => to.tell("put", state.at++) },
    });
    world.spawn(counter, undefined, { name: "from" });
    return { to };
  },
  faults: { delayMs: [1, 9], reorder: true, withinMs: 1000 },
  steps: 60,
  atEnd: {
    "they come in order": ({ to }, world) =>
      gotOf(world, to).every((each, index, all) => (all[index - 1] ?? 0) <= each),
  },
});

test("a run whose end is wrong from a step on is cut there", async () => {
  const { violation } = await findViolation(overtaken, { seeds: 100 });
  assert.ok(violation);
  assert.ok(violation.step <= 9, `${violation.step} steps`);
  assert.match(violation.command, new RegExp(`"steps":${violation.step},`));
  const again = await findViolation(overtaken, {
    seeds: 1,
    from: violation.seed,
    steps: violation.step,
    shrinks: false,
  });
  assert.is(again.violation?.step, violation.step);
});

test("a run is not cut where runs that end well would be wrong, too", async () => {
  const lossy = sending(
    { delayMs: [1, 9], loss: 0.01 },
    { atEnd: { "all have come": ({ to }, world) => gotOf(world, to).length === 30 || `${gotOf(world, to).length}` } },
  );
  const { violation } = await findViolation(lossy, { seeds: 100 });
  assert.ok(violation);
  assert.is(violation.message, "29");
  assert.is(violation.faults.length, 1);
});

test.run();
