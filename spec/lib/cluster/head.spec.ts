import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { CoordinationBoard, MemoryCoordination } from "../../../actors/stores/memory-coordination.ts";
import { download, upload } from "../../../actors/transport/wire/download.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { systemClock } from "../../../lib/core/seam/clock.ts";
import { Head } from "../../../lib/cluster/head.ts";
import { headWorld } from "../../kit/head-world.ts";
import { failure } from "../../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { suite } from "../../kit/suite.ts";
import { dial } from "../../../actors/transport/wire/dial.ts";
import { versionHeaders } from "../../../actors/transport/wire/wire-hello.ts";
import type { FromClient, ToClient } from "../../../lib/cluster/protocol.ts";
import { Talk } from "../../../lib/cluster/talk.ts";
import { askHead } from "../../cluster/ask-head.ts";

const test = suite("heads");
const security = { token: undefined, tls: undefined };
const bind = { host: "127.0.0.1", port: 0 };
const open = (store: string, leaseMs = 2000): Promise<Head> => Head.open({ store, leaseMs, bind, security });
const socketUrl = (head: Head): string => head.url.replace(/^http/u, "ws");

test("a store that machines can't share is refused", async () => {
  for (const store of ["memory", "lmdb:.qstream", "none"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { message } = await failure(() => open(store), "OPTION_INVALID");
    assert.match(message, "keeps its state in a Redis");
  }
});

test("code that is sent or fetched while Redis is away comes when it is back", async () => {
  const board = new CoordinationBoard(systemClock);
  let awayFor = 0;
  class SometimesAway extends MemoryCoordination {
    override async putBundle(hash: string, bytes: Uint8Array): Promise<void> {
      look();
      await super.putBundle(hash, bytes);
    }

    override async bundle(hash: string): Promise<Uint8Array | undefined> {
      look();
      return super.bundle(hash);
    }
  }
  const look = (): void => {
    if (awayFor-- > 0) throw new QStreamError("STORE_UNAVAILABLE", "it is away");
  };
  const world = headWorld((name) => new SometimesAway(board, name));
  const options = { store: "redis://nowhere", leaseMs: 2000, bind, security, world };
  const code = Buffer.from("code");
  const path = `/bundles/${createHash("sha256").update(code).digest("hex")}`;
  const head = await Head.open(options);
  // Whether it is there already isn't worth waiting for.
  awayFor = 3;
  await upload(`${head.url}${path}`, security, code);
  assert.ok(awayFor <= 0, "it was tried again");
  await head.close();
  // The next head doesn't have it in memory.
  const next = await Head.open(options);
  awayFor = 2;
  assert.equal(Buffer.from(await download(`${next.url}${path}`, security, 1000)), code);
  await next.close();
});

if (await hasRedisServer()) {
  const redis = await startRedisServer();

  test("a Redis that evicts keys is refused, and a replica", async () => {
    const evicting = await startRedisServer({ settings: { "maxmemory-policy": "allkeys-lru" } });
    const refused = await failure(() => open(evicting.url), "STORE_REFUSED");
    await evicting.stop();
    assert.match(refused.message, "allkeys-lru");
    const replica = await startRedisServer({ settings: { replicaof: `127.0.0.1 ${redis.port}` } });
    const other = await failure(() => open(replica.url), "STORE_REFUSED");
    await replica.stop();
    assert.match(other.message, "replica");
  });

  test("a head that waits says where the one is that leads, and leads when that is closed", async () => {
    const first = await open(redis.url, 1000);
    const second = await open(redis.url, 1000);
    assert.is(first.epoch, 1);
    assert.is(second.epoch, undefined);
    const [answer, ...rest] = await askHead(socketUrl(second), { kind: "list" });
    assert.equal(answer, { kind: "elsewhere", leader: socketUrl(first) });
    assert.equal(rest, []);
    const [welcome, listed] = await askHead(socketUrl(first), { kind: "list" });
    assert.equal(welcome, { kind: "welcome", epoch: 1 });
    assert.equal(listed, { kind: "listed", machines: [], executions: [], refusedConnections: 0 });
    await first.close();
    for (let turn = 0; turn < 100 && second.epoch === undefined; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.is(second.epoch, 2);
    await second.close();
  });

  test("a read token lists, as JSON; anything else it sends is refused unread", async () => {
    const [token, readToken] = ["0123456789abcdef-all", "0123456789abcdef-read"];
    const reading = { token, readToken, tls: undefined };
    const head = await Head.open({ store: `${redis.url}?prefix=reading`, leaseMs: 2000, bind, security: reading });
    const { socket } = await dial(`${socketUrl(head)}/client`, versionHeaders, { token: readToken, tls: undefined });
    const said: string[] = [];
    await new Promise<void>((ended) => {
      const talk: Talk<FromClient, ToClient> = new Talk(socket, 2000, {
        told: (message) => {
          said.push(message.kind === "refused" ? (message.error.code ?? "") : message.kind);
          if (said.length === 5) talk.close();
        },
        ended,
      });
      talk.tell({ kind: "list" });
      talk.tellPlainly({ kind: "list" });
      talk.tellPlainly({ kind: "cancel", execution: "run-x", reason: "" });
      socket.send(new Uint8Array(100));
    });
    assert.equal(said, ["welcome", "MACHINE_REFUSED", "listed", "MACHINE_REFUSED", "MACHINE_REFUSED"]);
    await head.close();
  });

  test("what isn't there can't be followed, cancelled or drained", async () => {
    const head = await open(`${redis.url}?prefix=nothing`);
    const url = socketUrl(head);
    for (const request of [
      { kind: "follow", execution: "run-x" },
      { kind: "cancel", execution: "run-x", reason: "why not" },
      { kind: "drain", machine: "nobody" },
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [, answer] = await askHead(url, request);
      const code = answer?.kind === "refused" ? answer.error.code : "";
      assert.is(code, request.kind === "drain" ? "MACHINE_UNREACHABLE" : "EXECUTION_UNKNOWN");
    }
    await head.close();
  });

  test.after(() => redis.stop());
}

test.run();
