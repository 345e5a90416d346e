import * as assert from "uvu/assert";
import {
  drawFaults,
  faultKinds,
  passingFaults,
  phases,
  type FaultKind,
} from "../../../../lib/testing/simulation/faults.ts";
import { Trace } from "../../../../lib/testing/simulation/trace.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("faults");

test("a seed draws the same faults, and different seeds cover all kinds, times and phases", () => {
  const kinds = new Set<FaultKind>();
  const struck = new Set<string>();
  const counts = new Set<number>();
  for (let seed = 0; seed < 300; seed++) {
    const options = { kinds: faultKinds, withinMs: 100, countMax: 4 };
    const faults = drawFaults(seed, options);
    assert.equal(faults, drawFaults(seed, options));
    counts.add(faults.length);
    for (const { kind, trigger, target, amount } of faults) {
      kinds.add(kind);
      struck.add(trigger.kind === "phase" ? trigger.phase : "time");
      if (trigger.kind === "at") assert.ok(trigger.ms >= 0 && trigger.ms < 100);
      else assert.ok(trigger.nth >= 1);
      for (const number of [target, amount]) assert.ok(number >= 0 && number < 1);
    }
  }
  assert.equal([...kinds].toSorted(), [...faultKinds].toSorted());
  assert.equal([...struck].toSorted(), ["time", ...phases].toSorted());
  assert.equal(counts.size, 4);
});

test("only the kinds that were asked for are drawn, and none without any", () => {
  for (let seed = 0; seed < 50; seed++) {
    const faults = drawFaults(seed, { kinds: passingFaults, withinMs: 10 });
    assert.ok(faults.every(({ kind }) => passingFaults.includes(kind)));
  }
  assert.equal(drawFaults(1, { kinds: [], withinMs: 10 }), []);
});

test("a trace keeps the latest lines and a checksum over all", () => {
  const traceOf = (linesMax: number, lines: readonly string[]): Trace => {
    const trace = new Trace(linesMax);
    lines.forEach((line, index) => trace.add(index, "slot", line));
    return trace;
  };
  const lines = ["one", "two", "three", "four", "five"];
  const short = traceOf(2, lines);
  assert.equal(
    short.lines().map(({ what }) => what),
    ["four", "five"],
  );
  assert.match(short.toString(), "3 earlier lines");
  assert.is(short.count, 5);
  assert.is(short.digest, traceOf(100, lines).digest);
  assert.is(short.digest, traceOf(0, lines).digest);
  assert.is.not(short.digest, traceOf(100, ["one", "two", "three", "four", "fivE"]).digest);
});

test.run();
