import * as assert from "uvu/assert";
import { openJournal } from "../../../actors/stores/open-journal.ts";
import type { ActorJournal } from "../../../lib/core/contracts/actor-journal.ts";
import { hasRedisServer, startRedisServer, type RedisServer, type RedisServerOptions } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";
import { testJournal } from "./journal-conformance.ts";
import { insistently, options, tell } from "./own-redis.ts";
import { bytesOf, records } from "./store-under-test.ts";

const test = suite("the journal of actors in Redis");

if (await hasRedisServer()) {
  const shared = await startRedisServer();
  test.after(() => shared.stop());
  testJournal(test, { open: () => openJournal(shared.url, options), survives: true });
  testFaults();
}
test.run();

async function withJournal(
  settings: RedisServerOptions,
  body: (journal: ActorJournal, server: RedisServer) => Promise<void>,
): Promise<void> {
  const server = await startRedisServer(settings);
  const journal = await openJournal(server.url, options);
  try {
    await journal.claim(["account/ann"]);
    await append(journal, 0);
    await body(journal, server);
  } finally {
    await journal.close();
    await server.stop();
  }
}

function append(journal: ActorJournal, firstSeq: number, length = 20): Promise<unknown> {
  return journal.append([
    { actor: "account/ann", generation: 1, firstSeq, records: records(2, firstSeq, length), isAwake: true },
  ]);
}

function testFaults(): void {
  test("a server that gives no answer is away; the same call again changes nothing that is done already", async () => {
    await withJournal({}, async (journal, server) => {
      server.pause();
      await refuses("STORE_UNAVAILABLE", () => append(journal, 2));
      server.resume();
      await insistently(() => append(journal, 2));
      assert.is((await journal.read("account/ann", -1)).length, 4);
    });
  });

  test("a server that starts again with what it had goes on", async () => {
    await withJournal({ appendOnly: true }, async (journal, server) => {
      await server.restart();
      await insistently(() => append(journal, 2));
      assert.is((await journal.read("account/ann", -1)).length, 4);
      assert.equal(await journal.awake(), ["account/ann"]);
    });
  });

  test("a server that lost what it had confirmed isn't written to any more", async () => {
    await withJournal({ appendOnly: true }, async (journal, server) => {
      await server.remember();
      await append(journal, 2);
      await server.restart({ behind: true });
      await refuses("STORE_LOST", () => insistently(() => journal.claim(["account/bea"])));
      await refuses("STORE_LOST", () => append(journal, 4));
    });
    await withJournal({}, async (journal, server) => {
      await server.restart({ empty: true });
      await refuses("STORE_LOST", () => insistently(() => append(journal, 2)));
    });
  });

  test("a server without memory refuses, and has all of a step or nothing", async () => {
    await withJournal({}, async (journal, server) => {
      await tell(server.url, "CONFIG", "SET", "maxmemory", "1");
      await refuses("STORE_REFUSED", () => append(journal, 2));
      await tell(server.url, "CONFIG", "SET", "maxmemory", "0");
      assert.is((await journal.read("account/ann", -1)).length, 2);
      await append(journal, 2);
      assert.is((await journal.read("account/ann", -1)).length, 4);
    });
  });

  test("a snapshot that somebody wrote over is named", async () => {
    await withJournal({}, async (journal, server) => {
      const snapshot = { seq: 3, bytes: bytesOf(100) };
      await journal.append([{ actor: "account/ann", generation: 1, firstSeq: 2, records: records(2, 2), snapshot }]);
      await tell(server.url, "SETRANGE", "qstream:{#actors}:snapshot:account/ann", "40", "x");
      await refuses("NOT_RECOVERABLE", () => journal.claim(["account/ann"]));
    });
  });
}
