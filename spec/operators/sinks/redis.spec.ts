import { createClient } from "redis";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { fingerprintOf } from "../../../lib/core/fingerprint.ts";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { OutputSink } from "../../../lib/core/contracts/sink.ts";
import { testContext } from "../../../lib/testing/test-context.ts";
import { writeRedis, type WriteRedisOptions } from "../../../operators/sinks/redis.ts";
import { runSink, sinkContract } from "../../contract/sink.ts";
import { failure } from "../../kit/failure.ts";
import { hasRedisServer } from "../../kit/redis-server.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { type RedisServer, startRedis } from "../../readers/own-redis.ts";
import { Lives } from "./lives.ts";
import { lifeScripts, LoggedLives, type SentObject } from "./logged-lives.ts";

const test = suite("redis sink");
type Row = Record<string, unknown>;

let server: RedisServer;
let client: ReturnType<typeof createClient>;
let names = 0;
const fresh = (): string => `key-${names++}`;

test.before(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  client.on("error", () => {});
  await client.connect();
});
test.after(async () => {
  client.destroy();
  await server.stop();
});

const entriesOf = async (stream: string): Promise<{ id: string; message: Record<string, string> }[]> =>
  ((await client.xRange(stream, "-", "+")) ?? []).map(({ id, message }) => ({ id, message: { ...message } }));
const hashOf = async (key: string): Promise<Record<string, string>> => ({ ...(await client.hGetAll(key)) });
const to = (options: WriteRedisOptions<Row>): OutputSink<unknown, unknown> =>
  writeRedis<Row>(server.url, { marks: `${fresh()}:`, ...options }) as OutputSink<unknown, unknown>;

sinkContract<unknown>(test, () => to({ stream: fresh() }), [[{ a: 1 }, { a: 2 }], [{ a: 3 }]]);

test("adds entries to a stream, after those that are there", async () => {
  const stream = fresh();
  await runSink(to({ stream }), [[{ n: 1, big: 9_007_199_254_740_993n, none: null, list: [1, "a"], ok: true }]]);
  await runSink(to({ stream, fields: ({ n }) => ({ twice: Number(n) * 2 }) }), [[{ n: 4 }]]);
  await client.xAdd(stream, "7000000000000-3", { n: "other" });
  await runSink(to({ stream }), [[{ when: new Date(0), raw: Buffer.from("raw") }]]);
  assert.equal(await entriesOf(stream), [
    { id: "1-1", message: { n: "1", big: "9007199254740993", list: '[1,"a"]', ok: "true" } },
    { id: "1-2", message: { twice: "8" } },
    { id: "7000000000000-3", message: { n: "other" } },
    { id: "7000000000000-4", message: { when: "1970-01-01T00:00:00.000Z", raw: "raw" } },
  ]);
});

test("writes fields of one hash, or a hash for each object", async () => {
  const [hash, other] = [fresh(), fresh()];
  const rows = [
    { id: "a", n: 1 },
    { id: "b", n: 2 },
    { id: "a", n: 3 },
  ];
  assert.equal(await runSink(to({ hash, key: ({ id }) => String(id) }), [rows]), { objects: 3 });
  assert.equal(await hashOf(hash), { a: '{"id":"a","n":3}', b: '{"id":"b","n":2}' });
  await runSink(to({ hash: other, key: ({ id }) => String(id), value: ({ n }) => Number(n) }), [rows]);
  assert.equal(await hashOf(other), { a: "3", b: "2" });
  await runSink(to({ keys: ({ id }) => `${hash}/${String(id)}`, fields: ({ n }) => ({ n: Number(n) }) }), [rows]);
  assert.equal([await hashOf(`${hash}/a`), await hashOf(`${hash}/b`)], [{ n: "3" }, { n: "2" }]);
});

test("writes the rows of batches, and large tasks in pieces", async () => {
  const batches = await loadBatches();
  const rows = Array.from({ length: 1300 }, (_, n) => ({ n, text: `row ${n}` }));
  for (const objects of [rows, [batches.fromObjects(rows, "arrow")], [batches.fromObjects(rows, "polars")]]) {
    const stream = fresh();
    await runSink(to({ stream }), [objects]);
    const found = (await entriesOf(stream)).map(({ message }) => message);
    assert.equal(
      found,
      rows.map(({ n, text }) => ({ n: String(n), text })),
    );
  }
});

test("keeps a stream about as long as it is told", async () => {
  const stream = fresh();
  await runSink(to({ stream, maxLength: 100 }), [Array.from({ length: 2000 }, (_, n) => ({ n }))]);
  assert.ok((await client.xLen(stream)) < 400);
});

test("tasks that are repeated by later lives write nothing, whatever was saved and lost", async () => {
  const tasks = [3, 1, 700, 2, 5].map((rows, seq) => Array.from({ length: rows }, (_, n) => ({ seq, n })));
  const life = fc.record({ works: fc.nat(3), beyond: fc.nat(3), late: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { maxLength: 4 }), async (script) => {
      const stream = fresh();
      const lives = new Lives(to({ stream }), tasks);
      try {
        let late: (() => Promise<void>) | undefined;
        for (const { works, beyond, late: writesOn } of script) {
          const begun = await lives.begin();
          const saved = Math.min(tasks.length, begun.next + works);
          await lives.write(begun, begun.next, saved);
          await lives.save(begun, saved);
          const lost = Math.min(tasks.length, saved + beyond);
          await lives.write(begun, saved, lost);
          await late?.();
          late = writesOn ? () => lives.write(begun, lost, tasks.length) : undefined;
        }
        await late?.();
        assert.equal((await lives.end()).result, { objects: tasks.flat().length });
        const found = (await entriesOf(stream)).map(({ message }) => message);
        assert.equal(
          found,
          tasks.flat().map(({ seq, n }) => ({ seq: String(seq), n: String(n) })),
        );
      } finally {
        await lives.close();
      }
    }),
    { numRuns: 10 },
  );
});

test("each object is written once, whatever tasks lives take that the log has not, and whoever is late", async () => {
  let n = 0;
  const sent = (from: number, sizes: readonly number[]): SentObject[][] =>
    sizes.map((size) => Array.from({ length: size }, () => ({ from, n: n++ })));
  const producers = [sent(0, [3, 1, 600, 2, 5, 4, 1, 2]), sent(1, [2, 700, 1, 4, 3, 1, 6])];
  const all = producers.flat(2);
  await fc.assert(
    fc.asyncProperty(lifeScripts, async (scripts) => {
      const stream = fresh();
      const lives = new LoggedLives(to({ stream }), producers);
      try {
        const result = await lives.run(scripts);
        const found = (await entriesOf(stream)).map(({ message }) => Number(message["n"]));
        assert.equal(
          found.toSorted((a, b) => a - b),
          all.map((object) => object.n),
        );
        assert.equal(result, { objects: all.length });
        // Those of a producer are in its order.
        for (const parcels of producers) {
          const own = new Set(parcels.flat().map((object) => object.n));
          assert.equal(
            found.filter((each) => own.has(each)),
            [...own],
          );
        }
      } finally {
        await lives.close();
      }
    }),
    { numRuns: 40 },
  );
});

test("a few tasks wait for the log, or for Redis, and then the stream does", async () => {
  const ctx = testContext();
  const channel = await to({ stream: fresh() }).open(ctx);
  let written = 0;
  const ended = (async () => {
    for (let seq = 0; seq < 20; seq++) {
      await channel.write([{ seq }], Object.assign(ctx, { seq }));
      written++;
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is(written, 8);
  for (let seq = 0; seq < 20; seq++) {
    await channel.committed?.(seq);
    assert.ok(written <= seq + 9);
  }
  await ended;
  await channel.abort?.();
});

test("channels and steps of an execution don't take each other's tasks for their own", async () => {
  const stream = fresh();
  const sink = to({ stream });
  for (const place of [{ step: "a" }, { step: "b" }, { step: "a", channel: 1 }, { execution: "e2", step: "a" }]) {
    const lives = new Lives(sink, [[place]], { channels: 2, ...place });
    await lives.end();
    await lives.close();
  }
  assert.is(await client.xLen(stream), 4);
});

test("a server that is killed and comes back is waited for, and one that has forgotten is found out", async () => {
  const own = await startRedis({ appendOnly: true });
  const emptied = await startRedis();
  try {
    for (const [redis, keeps] of [
      [own, true],
      [emptied, false],
    ] as const) {
      const ctx = testContext();
      const channel = await writeRedis<Row>(redis.url, { stream: "s" }).open(ctx);
      await channel.write([{ n: 1 }], ctx);
      await channel.committed?.(0);
      await redis.kill();
      await channel.write([{ n: 2 }], Object.assign(ctx, { seq: 1 }));
      const writing = channel.committed?.(1);
      const outcome = Promise.resolve(writing).then(
        () => "written",
        (error: unknown) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, 150));
      await redis.start();
      const ended = await outcome;
      if (keeps) assert.is(ended, "written");
      else await failure(() => Promise.reject(ended), "STORE_LOST", { step: "step", channel: 0 });
      await channel.abort?.();
    }
    const reader = createClient({ url: own.url });
    await reader.connect();
    assert.is(await reader.xLen("s"), 2);
    reader.destroy();
  } finally {
    await own.stop();
    await emptied.stop();
  }
});

test("a server that refuses, or stays away, is named with what to do, and never with its password", async () => {
  const own = await startRedis();
  const admin = createClient({ url: own.url });
  admin.on("error", () => {});
  await admin.connect();
  const url = own.url.replace("redis://", "redis://:s3cr3t@");
  const ctx = testContext();
  const seen: string[] = [];
  const fails = async (code: "STORE_REFUSED" | "BAD_INPUT" | "STORE_UNAVAILABLE", text: RegExp): Promise<void> => {
    const error = await failure(async () => {
      const channel = await writeRedis<Row>(url, { stream: "s", waitMs: 300 }).open(ctx);
      try {
        await channel.write([{ n: 1 }], ctx);
        await channel.committed?.(0);
      } finally {
        await channel.abort?.();
      }
    }, code);
    assert.match(error.message, text);
    for (let at: unknown = error; at instanceof Error; at = at.cause) seen.push(`${at.stack}`);
  };
  try {
    await admin.configSet("requirepass", "other");
    await fails("STORE_REFUSED", /doesn't let this user in/u);
    await admin.configSet("requirepass", "s3cr3t");
    await admin.set("s", "text");
    await fails("BAD_INPUT", /something else/u);
    await admin.del("s");
    await admin.configSet("maxmemory", "1");
    await fails("STORE_REFUSED", /no memory left/u);
    await admin.configSet("maxmemory", "0");
    await admin.sendCommand(["REPLICAOF", "127.0.0.1", "1"]);
    await fails("STORE_REFUSED", /read-only replica/u);
    await own.kill();
    await fails("STORE_UNAVAILABLE", /was away for 300 ms/u);
    assert.not.ok(seen.some((text) => text.includes("s3cr3t")));
  } finally {
    admin.destroy();
    await own.stop();
  }
});

test("a password is no part of what describes the sink", () => {
  const described = (url: string): string => JSON.stringify(writeRedis(url, { stream: "s" }).options);
  assert.not.match(described("redis://me:s3cr3t@host:1/2"), "s3cr3t");
  assert.is(
    fingerprintOf(writeRedis("redis://me:s3cr3t@host:1/2", { stream: "s" }).options),
    fingerprintOf(writeRedis("redis://me:other@host:1/2", { stream: "s" }).options),
  );
  assert.match(described("rediss://host:1/2"), "rediss://host:1/2");
});

test("options that can't be are refused at once", async () => {
  const refused = async (url: string, options: object): Promise<string> =>
    (await failure(() => writeRedis(url, options as never), "OPTION_INVALID")).message;
  assert.not.match(await refused("http://me:s3cr3t@host", { stream: "s" }), "s3cr3t");
  await refused(server.url, {});
  await refused(server.url, { stream: "s", hash: "h" });
  await refused(server.url, { hash: "h" });
  await refused(server.url, { stream: "s", maxLength: -1 });
  await refused(server.url, { stream: "s", waitMs: 0 });
  const bad = async (object: unknown): Promise<unknown> =>
    failure(() => runSink(to({ stream: fresh() }), [[object]]), "BAD_INPUT");
  for (const object of [1, {}, { f: () => 1 }, { n: null }, { when: new Date(Number.NaN) }]) await bad(object);
});

if (!inSlot && (await hasRedisServer())) test.run();
