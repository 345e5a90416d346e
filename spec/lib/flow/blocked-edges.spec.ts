import * as assert from "uvu/assert";
import { spoolingEdges, type StagedEdge } from "../../../lib/flow/blocked-edges.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("edges that spool");
const edge = (from: number, to: number, stage = 0, inStep = false): StagedEdge => ({ from, to, stage, inStep });
const spooling = (...edges: StagedEdge[]): number[] => [...spoolingEdges(edges)];

test("a stream that parts and meets again behind a stage spools where it is held back", () => {
  assert.equal(spooling(edge(0, 1, 1), edge(0, 1, 0)), [0]);
  assert.equal(spooling(edge(0, 2), edge(2, 1, 1), edge(0, 3), edge(3, 1, 0)), [1]);
});

test("stages of streams that have nothing in common spool nothing, and neither do parting streams without stages", () => {
  assert.equal(spooling(edge(0, 2, 1), edge(1, 2, 0)), []);
  assert.equal(spooling(edge(0, 1), edge(0, 2), edge(1, 3), edge(2, 3)), []);
});

test("two joins of the same two streams, both of which build the same side, spool nothing", () => {
  assert.equal(spooling(edge(0, 2, 1), edge(1, 2, 0), edge(0, 3, 1), edge(1, 3, 0)), []);
});

test("two joins that build each other's side spool one edge, as each waits for what the other doesn't read", () => {
  assert.equal(spooling(edge(0, 2, 1), edge(1, 2, 0), edge(0, 3, 0), edge(1, 3, 1)), [0]);
});

test("what waits over the stages of several steps is found", () => {
  // 3 -> 6 waits for 5, which comes of 4; 4 -> 15 waits for 3.
  assert.equal(spooling(edge(3, 6, 1), edge(5, 6, 0), edge(4, 5), edge(4, 15, 1), edge(3, 15, 0)), [0]);
});

test("an operator that keeps its inputs in step may hold back either of two parts of a stream", () => {
  assert.equal(spooling(edge(0, 1, 0, true), edge(0, 1, 0, true)), [0, 1]);
  assert.equal(spooling(edge(0, 2, 0, true), edge(1, 2, 0, true)), []);
});

test.run();
