import * as assert from "uvu/assert";
import { HeldOutputs } from "../../../lib/cluster/held-outputs.ts";
import type { EncodedOutputs } from "../../../lib/cluster/outputs.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("outputs that a head holds");

const outputs: EncodedOutputs = [["out", { kind: "objects", payloads: [] }]];

test("they are dropped when they were taken, when there is no room, and when their time is over", () => {
  const timers = new Set<() => void>();
  const clock = {
    after: (_: number, callback: () => void) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  } as unknown as Clock;
  const held = new HeldOutputs({ bytesMax: 100, heldMs: 1000 }, clock);
  held.hold("first", outputs, 40);
  held.hold("second", outputs, 40);
  assert.is(held.get("first"), outputs);
  held.drop("first");
  held.drop("first");
  assert.is(held.get("first"), undefined);
  assert.is(held.bytes, 40);
  held.hold("third", outputs, 50);
  held.hold("fourth", outputs, 40);
  assert.is(held.get("second"), undefined);
  assert.is(held.get("third"), outputs);
  assert.is(held.bytes, 90);
  assert.is(timers.size, 2);
  const [oldest] = timers;
  oldest?.();
  assert.is(held.get("third"), undefined);
  held.hold("large", outputs, 101);
  assert.is(held.bytes, 0);
  held.hold("last", outputs, 1);
  held.clear();
  assert.is(held.bytes, 0);
  assert.is(timers.size, 0);
});

test.run();
