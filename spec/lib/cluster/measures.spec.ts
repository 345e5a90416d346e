import * as assert from "uvu/assert";
import type { ExecutionMetrics } from "../../../actors/scheduler/execution-events.ts";
import { CoordinationBoard, MemoryCoordination } from "../../../actors/stores/memory-coordination.ts";
import { Measures } from "../../../lib/cluster/measures.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("measures of flows");

function metricsOf(bytes: number, steps = 1): ExecutionMetrics {
  const metrics = { bytesIn: bytes, bytesOut: 2 * bytes };
  return {
    steps: Array.from({ length: steps }, (_, step) => ({ step: `s${step}`, metrics })),
  } as unknown as ExecutionMetrics;
}

const measuredOf = (bytes: number): unknown => [["s0", { bytesIn: bytes, bytesOut: 2 * bytes }]];

test("what one head has measured is there for the next, which began with nothing", async () => {
  const board = new CoordinationBoard(systemClock);
  const [first, second] = [new MemoryCoordination(board, "head-1"), new MemoryCoordination(board, "head-2")];
  await first.campaign("ws://one", 60_000);
  const measures = new Measures({ keep: (flow, text) => first.keepMeasures(flow, text) });
  measures.learn("flow", metricsOf(5));
  measures.learn("flow", metricsOf(7));
  measures.learn("other", metricsOf(1));
  // What was gone on with wasn't measured as a whole, and what hasn't told anything not at all.
  measures.learn("other", { ...metricsOf(100), resumed: true });
  measures.learn("third", undefined);
  assert.equal(measures.of("flow"), measuredOf(7));
  await first.resign();
  await second.campaign("ws://two", 60_000);
  // The head before doesn't know it yet.
  measures.learn("flow", metricsOf(9));
  await Promise.resolve();
  const next = new Measures({ keep: () => undefined });
  assert.is(next.of("flow"), undefined);
  next.restore((await second.load(0)).measures);
  assert.equal([next.of("flow"), next.of("other"), next.of("third")], [measuredOf(7), measuredOf(1), undefined]);
});

test("they are bounded in number and size", () => {
  const kept: string[] = [];
  const measures = new Measures({ keep: async (flow) => void kept.push(flow), flowsMax: 3, textMax: 200 });
  for (const flow of ["a", "b", "c"]) measures.learn(flow, metricsOf(1));
  measures.learn("a", metricsOf(2));
  measures.learn("d", metricsOf(1));
  measures.learn("large", metricsOf(1, 100));
  assert.equal(
    ["a", "b", "c", "d", "large"].map((flow) => measures.of(flow) !== undefined),
    [true, false, true, true, false],
  );
  assert.equal(kept, ["a", "b", "c", "a", "d"]);
});

test("what another version has kept is passed over", () => {
  const measures = new Measures({ keep: () => undefined });
  measures.restore([{ flow: "flow", measures: "no JSON" }]);
  assert.is(measures.of("flow"), undefined);
});

test.run();
