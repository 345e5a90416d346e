// Why a system of actors on slots is closed is told to whoever asks its actors.
import * as assert from "uvu/assert";
import { actor, defineActors, local, QStreamError } from "../../../lib/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import spread, { resident } from "./spread-kinds.ts";

const test = suite("systems of actors that fail");

test("a durable definition that can't work is refused before anything starts", async () => {
  const account = actor({
    durable: true,
    init: (_key: string) => ({ cents: 0 }),
    receive: { add: async (state, cents: number) => Promise.resolve(void (state.cents += cents)) },
  });
  const error = await failure(() => defineActors(import.meta.url, { account }), "ACTOR_INVALID");
  assert.match(error.message, '"account"');
  assert.match(error.message, '"add"');
});

test("what a system failed of is the cause of what its actors are refused with", async () => {
  await using session = await local({ slots: 2, isolation: "process", store: "none" });
  const system = await spread.start({ on: session, onEvent: () => {} });
  const target = system.spawn(resident, undefined);
  const pid = await target.ask("pid");
  const waits = failure(() => target.ask("never", undefined, { timeoutMs: 30_000 }), "SESSION_CLOSED");
  process.kill(pid, "SIGKILL");
  for (const error of [await waits, await failure(() => target.ask("pid"), "SESSION_CLOSED")]) {
    assert.instance(error.cause, QStreamError);
    assert.is((error.cause as QStreamError).code, "SLOT_LOST");
  }
  assert.throws(
    () => system.spawn(resident, undefined),
    (error: Error) => (error.cause as QStreamError | undefined)?.code === "SLOT_LOST",
  );
  await system.close();
});

test.run();
