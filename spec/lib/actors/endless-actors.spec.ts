// An actor whose handler doesn't come back costs its slot, and is named.
import * as assert from "uvu/assert";
import { actor, defineActors, type ActorEvent, type SessionOptions } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("actors that never come back");

export const spinner = actor({
  init: () => ({}),
  receive: {
    ready: () => true,
    forever() {
      for (;;);
    },
  },
});

const spinning = defineActors(import.meta.url, { spinner });

export default spinning;

const kinds: readonly NonNullable<SessionOptions["isolation"]>[] = ["thread", "process"];
for (const isolation of kinds) {
  test(`the actor and its message are named (${isolation})`, async () => {
    const events: ActorEvent[] = [];
    const onEvent = (event: ActorEvent): void => void events.push(event);
    await using system = await spinning.start({ slots: 2, turnMs: 1000, isolation, onEvent });
    const [named, other] = [system.spawn(spinner, undefined, { name: "ann" }), system.spawn(spinner, undefined)];
    for (const each of [named, other]) {
      // oxlint-disable-next-line no-await-in-loop -- one slot after the other
      assert.ok(await each.ask("ready", undefined, { timeoutMs: 20_000 }));
    }
    await failure(() => named.ask("forever", undefined, { timeoutMs: 20_000 }), "ACTOR_STOPPED");
    const losses = events.flatMap((event) => (event.kind === "slot-lost" ? [event.error.message] : []));
    assert.is(losses.length, 1);
    assert.match(losses[0] ?? "", /kept it from its event loop for .* It ran ann at "forever"/u);
    await failure(() => other.ask("forever", undefined, { timeoutMs: 20_000 }), "ACTOR_STOPPED");
    const second = events.flatMap((event) => (event.kind === "slot-lost" ? [event.error.message] : []))[1];
    assert.match(second ?? "", /It ran spinner-\S+ at "forever"/u);
  });
}

test.run();
