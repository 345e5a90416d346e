// What heads and drivers do doesn't grow faster than machines and channels. The whole size is in the soak.
import * as assert from "uvu/assert";
import { suite } from "../../../kit/suite.ts";
import { growsTooFast, printScale, simulateScale } from "./scale.ts";

const test = suite("scale of a simulated cluster");

test("from 275 to 1,001 channels, messages and bytes of head and driver grow as channels do", async () => {
  const small = await simulateScale({ machines: 5, slots: 8, channelsEach: 25 });
  const large = await simulateScale({ machines: 20, slots: 8, channelsEach: 91 });
  printScale(large);
  assert.is(small.channels, 275);
  assert.is(large.channels, 1001);
  assert.equal(growsTooFast(small, large), []);
  // A machine is lost as one: each slot with channels that is left is asked once.
  assert.equal([small.surveyed, large.surveyed], [25 - 8, 91 - 8]);
}, 60_000);

test.run();
