// A store that goes away and doesn't come back, as a user meets it.
import * as assert from "uvu/assert";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";
import { compiledPath, qstream } from "./command.ts";

const test = suite("command line: a store that is away");

if (await hasRedisServer()) {
  const server = await startRedisServer();
  test.after(() => server.stop());

  test("a run fails after the time that was set, and its error names that and the option", async () => {
    let killed: Promise<void> | undefined;
    const words = ["run", `${compiledPath("stuck.js")}#endless`, "--quiet", "--slots", "1", "--store", server.url];
    const ended = await qstream([...words, "--store-wait-ms", "321", "--checkpoint-every-ms", "100", "--attempts=2"], {
      sayUntil: "running",
      said: () => {
        killed = server.kill();
      },
    });
    await killed;
    assert.is(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /\[STORE_UNAVAILABLE\] waited 321 ms for the store: the Redis .* can't be reached/);
    assert.match(ended.stderr, "storeWaitMs (--store-wait-ms");
    assert.match(ended.stderr, /To go on with it: npx qstream run .* --resume run-/);
    assert.ok(ended.afterSignal > 300, `${ended.afterSignal} ms`);
  });
}

test.run();
