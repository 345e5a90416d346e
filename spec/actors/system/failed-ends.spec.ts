// What who asks an actor hears of the failure that it ended for.
import * as assert from "uvu/assert";
import { actor } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors/system/failed-ends");

const unmade = actor({
  kind: "unmade",
  init: (): number => {
    throw new Error("no such file: settings.json");
  },
  receive: { get: (state) => state },
});

const fragile = actor({
  kind: "fragile",
  init: () => 0,
  receive: {
    get: (state) => state,
    fail(): never {
      throw new Error("out of paper");
    },
    stop(_, _nothing: undefined, ctx) {
      ctx.stop();
    },
  },
  supervise: [{ do: "stop" }],
});

test("who asks an actor whose `init` fails is told what it failed at, before its end and after", async () => {
  const system = new NodeUnderTest();
  const to = system.spawn(unmade);
  for (let time = 0; time < 2; time++) {
    // oxlint-disable-next-line no-await-in-loop -- the second one comes after the end
    const error = await failure(() => system.answer(to.ask("get")), "ACTOR_STOPPED");
    assert.match(error.message, /unmade-1 isn't there any more: "get" was not handled.*no such file: settings\.json/u);
    assert.is((error.cause as Error).message, "no such file: settings.json");
  }
});

test("so is who asks an actor that has failed, and not one that has just stopped", async () => {
  const system = new NodeUnderTest();
  const [failing, stopping] = [system.spawn(fragile), system.spawn(fragile)];
  failing.tell("fail");
  stopping.tell("stop");
  const failed = await failure(() => system.answer(failing.ask("get")), "ACTOR_STOPPED");
  assert.is((failed.cause as Error).message, "out of paper");
  const stopped = await failure(() => system.answer(stopping.ask("get")), "ACTOR_STOPPED");
  assert.is(stopped.cause, undefined);
  assert.match(stopped.message, /"get" was not handled\. /u);
});

test.run();
