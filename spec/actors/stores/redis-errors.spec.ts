import * as assert from "uvu/assert";
import { redisError } from "../../../actors/stores/redis-errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("errors of Redis");

const said = (error: Error, answered = false): string => redisError("redis://host", error, answered).message;

test("a code is said once", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  assert.is(
    said(refused),
    "the Redis redis://host can't be reached: connect ECONNREFUSED 127.0.0.1:1. Check that it runs and can be reached",
  );
  // All addresses of a name were tried: Node's error has no message.
  const all = Object.assign(new AggregateError([refused]), { code: "ECONNREFUSED" });
  assert.match(said(all), "can't be reached: ECONNREFUSED. Check");
  const other = Object.assign(new Error("the handshake failed"), { code: "EPROTO" });
  assert.match(said(other), "can't be reached: the handshake failed EPROTO. Check");
  assert.match(said(new Error("Socket closed unexpectedly")), "can't be reached: Socket closed unexpectedly. Check");
});

test("what a server answers says what it means", () => {
  const cases = [
    ["OOM command not allowed when used memory > 'maxmemory'.", "STORE_REFUSED", /has no memory left/],
    ["LOADING Redis is loading the dataset in memory", "STORE_UNAVAILABLE", /isn't ready: LOADING Redis is loading/],
    ["ERR unknown command", "STORE_REFUSED", /answered: ERR unknown command\. Look at its log/],
  ] as const;
  for (const [answer, code, message] of cases) {
    const error = redisError("redis://host", new Error(answer), true);
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.is((error.cause as Error).message, answer);
  }
});

test.run();
