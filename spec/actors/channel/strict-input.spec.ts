import * as assert from "uvu/assert";
import { watched } from "../../../actors/channel/strict-input.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("strict input");

test("a task that changes bytes of its input fails, however it returns", async () => {
  const ways: readonly ((change: () => void) => unknown)[] = [
    (change) => watched([], () => change()),
    (change) => {
      const bytes = Uint8Array.of(1);
      return watched([{ bytes }], () => {
        bytes[0] = 2;
        change();
      });
    },
    (change) => {
      const map = new Map<string, number>();
      const outputs = watched([map], function* () {
        map.set("a", 1);
        change();
        yield 1;
      });
      return [...(outputs as Iterable<unknown>)];
    },
    async (change) => {
      const set = new Set<number>();
      await watched([set], async () => {
        set.add(1);
        change();
      });
    },
  ];
  for (const [index, way] of ways.entries()) {
    let called = 0;
    const run = async (): Promise<unknown> => way(() => called++);
    if (index === 0) await run();
    else assert.match((await failure(run, "STEP_FAILED")).message, "an operator changed its input");
    assert.is(called, 1);
  }
});

test.run();
