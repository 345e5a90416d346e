import * as assert from "uvu/assert";
import { forEach } from "../../../operators/sinks/for-each.ts";
import { runSink, sinkContract } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("for-each sink");

sinkContract(test, () => forEach<number>(() => {}), [[1, 2], [3]]);

test("calls the function for each object in order, waits for promises, and counts", async () => {
  const seen: number[] = [];
  const sink = forEach<number>(async (n) => {
    await Promise.resolve();
    seen.push(n);
  });
  assert.equal(await runSink(sink, [[1, 2], [3]]), { objects: 3 });
  assert.equal(seen, [1, 2, 3]);
});

test("fails with what the function throws", async () => {
  try {
    await runSink(
      forEach<number>(() => Promise.reject(new Error("no"))),
      [[1]],
    );
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, "no");
  }
});

test.run();
