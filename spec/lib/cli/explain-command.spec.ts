import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { compiledPath, qstream } from "./command.ts";

const test = suite("qstream explain");

test("it draws the plan for slots of this machine, as run --explain does", async () => {
  const flow = compiledPath("words.js");
  const [drawn, byRun] = await Promise.all([
    qstream(["explain", flow, "--slots", "2", "--arg", "word=sea"]),
    qstream(["run", flow, "--explain", "--slots", "2", "--arg", "word=sea"]),
  ]);
  assert.is(drawn.code, 0, drawn.stderr);
  assert.is(drawn.stdout, byRun.stdout);
  assert.match(drawn.stdout, /^flow .* on 2 slots, fingerprint /m);
});

test("words that make no sense are refused with what is wanted", async () => {
  const [nothing, slots, execution, machines] = await Promise.all([
    qstream(["explain"]),
    qstream(["explain", "x.ts", "--slots", "2", "--cluster", "ws://127.0.0.1:1"]),
    qstream(["explain", "x.ts", "--execution", "run-1"]),
    qstream(["rebalance", "run-1", "run-2", "--cluster", "ws://127.0.0.1:1"]),
  ]);
  assert.equal([nothing.code, slots.code, execution.code, machines.code], [2, 2, 2, 2]);
  assert.match(nothing.stderr, "which flow?");
  assert.match(slots.stderr, "--slots is for this machine");
  assert.match(execution.stderr, "--execution is one of a cluster");
  assert.match(machines.stderr, "one execution at a time");
});

test.run();
