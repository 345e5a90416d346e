import { inspect } from "node:util";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { createClient } from "redis";
import { Run, type ReadFrom, type Reader } from "../../lib/core/contracts/reader.ts";
import { defineFlow } from "../../lib/flow/define-flow.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext, type TestContext } from "../../lib/testing/test-context.ts";
import { redisStream } from "../../readers/redis-stream.ts";
import type { RedisSplit } from "../../readers/redis/stream-splits.ts";
import { readAll, readerContract, readSplit, splitsOf } from "../contract/reader.ts";
import { failure } from "../kit/failure.ts";
import { startRedis, type RedisServer } from "./own-redis.ts";
import { hasRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("redis stream reader");

const summed = defineFlow(import.meta.url, (q, args: { url: string; streams: string[] }) => {
  const { url, streams } = args;
  const entries = q.read("entries", redisStream(url, { streams, until: "end", map: numberOf }), { channels: 3 });
  const endless = q.read("endless", redisStream(url, { streams: streams.slice(0, 1), map: numberOf }), { channels: 1 });
  return { numbers: entries.collect(), first: endless.limit("some", 10).collect() };
});

let server: RedisServer;
let client: ReturnType<typeof createClient>;
let keys = 0;

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

/** A stream of its own with entries of one field `n`, a millisecond apart; ids are `1-0`, `2-0`, ... */
async function stream(count: number, first = 1): Promise<string> {
  const key = `stream-${++keys}`;
  await add(key, count, first);
  return key;
}

async function add(key: string, count: number, first = 1): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => client.xAdd(key, `${first + index}-0`, { n: String(first + index) })),
  );
}

function numberOf({ fields }: { readonly fields: Readonly<Record<string, string>> }): number {
  return Number(fields["n"]);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function onlySplit(reader: Reader<unknown, RedisSplit>): Promise<RedisSplit> {
  const [split] = await splitsOf(reader);
  return split as RedisSplit;
}

/** Reads a split until it has given so many objects, and hands over each run. */
async function readUntil(
  reader: Reader<number, RedisSplit>,
  count: number,
  options: { readonly split?: RedisSplit; readonly ctx?: TestContext; readonly from?: ReadFrom } = {},
  visit: (run: Run<number>, soFar: number) => void | Promise<void> = () => {},
): Promise<number[]> {
  const split = options.split ?? (await onlySplit(reader));
  const found: number[] = [];
  for await (const item of reader.read(split, options.ctx ?? testContext(), options.from)) {
    assert.instance(item, Run);
    found.push(...(item as Run<number>).objects);
    await visit(item as Run<number>, found.length);
    if (found.length >= count) break;
  }
  return found;
}

let contractStreams: string[] | undefined;
readerContract(test, "redis streams", async () => {
  const streams = (contractStreams ??= [await stream(1500), await stream(1200, 5000)]);
  return redisStream(server.url, { streams, until: "end", count: 100 });
});

test("entries have an id and fields, as text or as bytes", async () => {
  const key = await stream(0);
  await client.xAdd(key, "5-1", { a: "é", b: "", ["__proto__"]: "x" });
  const [text] = (await readAll(redisStream(server.url, { streams: key, until: "end" }))).objects;
  assert.equal(JSON.stringify(text), '{"id":"5-1","fields":{"a":"é","b":"","__proto__":"x"}}');
  await client.xAdd(key, "6-0", { raw: Buffer.of(0xff, 0) });
  const bytes = redisStream(server.url, { streams: key, from: "6", until: "end", values: "bytes" });
  assert.equal((await readAll(bytes)).objects, [{ id: "6-0", fields: { raw: Uint8Array.of(0xff, 0) } }]);
});

test("json reads a field, map makes any object", async () => {
  const key = await stream(0);
  await client.xAdd(key, "1-0", { data: '{"size":3}' });
  await client.xAdd(key, "2-0", { data: "null" });
  const json = redisStream<{ size: number } | null>(server.url, { streams: key, until: "end", json: "data" });
  assert.equal((await readAll(json)).objects, [{ size: 3 }, null]);
  const mapped = redisStream(server.url, {
    streams: key,
    until: "end",
    map: ({ id }) => (id === "1-0" ? undefined : id),
  });
  assert.equal((await readAll(mapped)).objects, [undefined, "2-0"]);
});

test("what an entry shouldn't be is BAD_INPUT with its id", async () => {
  const key = await stream(0);
  await client.xAdd(key, "1-0", { data: "{" });
  await client.xAdd(key, "2-0", { raw: Buffer.of(0xff) });
  await client.sendCommand(["XADD", key, "3-0", "a", "1", "a", "2"]);
  const bad = async (id: string, says: string, json?: string): Promise<void> => {
    const place = { streams: key, from: id, until: id };
    const reader = json === undefined ? redisStream(server.url, place) : redisStream(server.url, { ...place, json });
    const error = await failure(() => readAll(reader), "BAD_INPUT");
    assert.match(error.message, `entry ${id} of stream "${key}"`);
    assert.match(error.message, says);
  };
  await bad("1-0", "isn't JSON", "data");
  await bad("1-0", 'no field "other"', "other");
  await bad("2-0", "isn't valid UTF-8");
  await bad("3-0", 'field "a" comes twice');
});

test("from and until give the entries between them, whatever they are", async () => {
  const id = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 3 }));
  const bound = fc.oneof(
    id.map(([ms, number]) => `${ms}-${number}`),
    fc.integer({ min: 0, max: 7 }).map(String),
  );
  const property = fc.asyncProperty(
    fc.uniqueArray(id, { selector: (parts) => parts.join("-"), minLength: 1, maxLength: 12 }),
    fc.option(bound, { nil: undefined }),
    fc.oneof(fc.constant("end"), bound),
    fc.integer({ min: 1, max: 5 }),
    async (entries, from, until, count) => {
      const key = await stream(0);
      const value = ([ms, number]: readonly [number, number]): number => ms * 10 + number;
      const sorted = entries.filter((entry) => value(entry) > 0).toSorted((left, right) => value(left) - value(right));
      // An entry behind everything: without it, an `until` in the future is waited for.
      const all = [...sorted, [9, 0] as const];
      for (const entry of all) await client.xAdd(key, entry.join("-"), { n: "0" });
      const valueOf = (text: string, missing: number): number => {
        const [ms = 0, number = missing] = text.split("-").map(Number);
        return value([ms, number]);
      };
      const expected = all.filter(
        (entry) =>
          (from === undefined || value(entry) >= valueOf(from, 0)) &&
          (until === "end" || value(entry) <= valueOf(until, 9)),
      );
      const options = { streams: key, until, count, ...(from === undefined ? {} : { from }) };
      const { objects } = await readAll(redisStream(server.url, { ...options, map: (entry) => entry.id }));
      assert.equal(
        objects,
        expected.map((entry) => entry.join("-")),
      );
      await client.del(key);
    },
  );
  await fc.assert(property, { numRuns: 20 });
});

test("until end leaves out what is added later; from end reads only that", async () => {
  const key = await stream(10);
  const old = redisStream(server.url, { streams: key, until: "end", map: numberOf });
  const fresh = redisStream(server.url, { streams: key, from: "end", map: numberOf });
  assert.not(old.endless);
  assert.ok(fresh.endless);
  const [oldSplit, freshSplit] = [await onlySplit(old), await onlySplit(fresh)];
  await add(key, 5, 11);
  assert.equal((await readSplit(old, oldSplit, testContext())).objects, range(1, 10));
  assert.equal(await readUntil(fresh, 5, { split: freshSplit }), range(11, 15));
});

test("until an id that hasn't come yet is waited for", async () => {
  const key = await stream(2);
  const reader = redisStream(server.url, { streams: key, until: "5", blockMs: 20, map: numberOf });
  const reading = readAll(reader);
  for (const n of [3, 4, 6]) await add(key, 1, n);
  assert.equal((await reading).objects, range(1, 4));
});

test("reading goes on behind any mark with the same objects", async () => {
  const key = await stream(500);
  const reader = redisStream(server.url, { streams: key, until: "end", count: 64, map: numberOf });
  const split = await onlySplit(reader);
  const marks: { readonly mark: unknown; readonly read: number }[] = [];
  const all = await readUntil(reader, Infinity, { split }, (run, read) => void marks.push({ mark: run.mark, read }));
  assert.equal(all, range(1, 500));
  assert.ok(marks.length > 5);
  for (const { mark, read } of marks) {
    const after = structuredClone(mark);
    assert.equal(await readUntil(reader, Infinity, { split, from: { after } }), range(read + 1, 500));
  }
});

test("a reader that waits ends at once when it is aborted or left", async () => {
  const key = await stream(1);
  const reader = redisStream(server.url, { streams: key, from: "end", blockMs: 10_000 });
  const split = await onlySplit(reader);
  const abort = new AbortController();
  const ctx = testContext({ signal: abort.signal });
  const waiting = readSplit(reader, split, ctx);
  const reading = reader.read(split, testContext()) as AsyncIterable<unknown>;
  const left = reading[Symbol.asyncIterator]();
  const next = left.next().then(
    () => "an object",
    () => "ended",
  );
  await until(async () => (await client.info("clients")).includes("blocked_clients:2"));
  const begun = performance.now();
  abort.abort(new Error("enough"));
  await left.return?.();
  await failureOf(waiting, "enough");
  assert.is(await next, "ended");
  assert.ok(performance.now() - begun < 1000);
  await until(async () => (await client.info("clients")).includes("blocked_clients:0"));
});

test("a connection that breaks again and again skips and doubles nothing", async () => {
  const key = await stream(1000);
  const reader = redisStream(server.url, { streams: key, count: 100, map: numberOf });
  const ctx = testContext();
  let added = 1000;
  let runs = 0;
  const found = await readUntil(reader, 1400, { ctx }, async () => {
    if (added < 1400) await add(key, 20, added + 1);
    added = Math.min(1400, added + 20);
    if (runs++ % 3 === 0) await client.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
  });
  assert.equal(found, range(1, 1400));
  assert.ok((ctx.counters.get("reconnects") ?? 0) >= 3);
});

test("entries that were trimmed before they were read are NOT_RECOVERABLE", async () => {
  const key = await stream(100);
  const reader = redisStream(server.url, { streams: key, map: numberOf });
  const bounded = redisStream(server.url, { streams: key, until: "end", map: numberOf });
  const [split, boundedSplit] = [await onlySplit(reader), await onlySplit(bounded)];
  await client.xTrim(key, "MAXLEN", 50);
  for (const [which, at] of [
    [reader, split],
    [bounded, boundedSplit],
  ] as const) {
    const error = await failure(() => readUntil(which, 50, { split: at }), "NOT_RECOVERABLE");
    assert.match(error.message, "1-0");
  }
  // Behind a mark, what came before isn't needed.
  assert.equal(await readUntil(reader, 49, { split, from: { after: "51-0" } }), range(52, 100));
});

test("entries that are trimmed while reading, faster than it goes, are NOT_RECOVERABLE", async () => {
  const key = await stream(100);
  const reader = redisStream(server.url, { streams: key, count: 20, map: numberOf });
  const read = readUntil(reader, 200, {}, async () => {
    await add(key, 100, 101);
    await client.xTrim(key, "MAXLEN", 10);
  });
  await failure(() => read, "NOT_RECOVERABLE");
});

test("a stream that was empty notices what it lost before it was read", async () => {
  const key = await stream(3);
  await client.xTrim(key, "MAXLEN", 0);
  const reader = redisStream(server.url, { streams: key, map: numberOf });
  const split = await onlySplit(reader);
  await add(key, 3, 11);
  assert.equal(await readUntil(reader, 3, { split }), range(11, 13));
  await client.xTrim(key, "MAXLEN", 1);
  await failure(() => readUntil(reader, 1, { split }), "NOT_RECOVERABLE");
});

test("a stream that isn't there yet is waited for; with an end it is PATH_NOT_FOUND", async () => {
  const key = await stream(0);
  await failure(() => splitsOf(redisStream(server.url, { streams: key, until: "end" })), "PATH_NOT_FOUND");
  const reader = redisStream(server.url, { streams: key, map: numberOf });
  const reading = readUntil(reader, 2);
  await add(key, 2);
  assert.equal(await reading, [1, 2]);
});

test("a key that is no stream is BAD_INPUT", async () => {
  await client.set("text", "x");
  await failure(() => splitsOf(redisStream(server.url, { streams: "text", until: "end" })), "BAD_INPUT");
});

test("endless streams need a channel each", async () => {
  const streams = [await stream(1), await stream(1)];
  const reader = redisStream(server.url, { streams });
  const error = await failure(() => splitsOf(reader, openFileSystem(), 1), "OPTION_INVALID");
  assert.match(error.message, "channels: 2");
  assert.is((await splitsOf(reader, openFileSystem(), 2)).length, 2);
});

test("user and password are in no option, split or error", async () => {
  const url = server.url.replace("redis://", "redis://somebody:s3cret%2F@");
  const reader = redisStream(url, { streams: "s", retryMs: 0 });
  const refused = await failure(() => splitsOf(reader), "BAD_INPUT");
  const away = redisStream("redis://somebody:s3cret%2F@127.0.0.1:1", { streams: "s", retryMs: 100 });
  const unreachable = await failure(() => splitsOf(away), "BAD_INPUT");
  assert.match(unreachable.message, "127.0.0.1:1 couldn't be reached for 100 ms");
  const split = await onlySplit(redisStream(server.url, { streams: await stream(1) }));
  for (const shown of [reader.options, refused, unreachable, split]) {
    const text = inspect(shown, { depth: 10, showHidden: true });
    assert.not.match(text, /s3cret|somebody/);
  }
});

test("a flow on slots of their own reads each stream on a channel, and stops one without an end", async () => {
  const streams = [await stream(300), await stream(200, 301), await stream(100, 501)];
  const { numbers, first } = await summed.run({ url: server.url, streams }, { slots: 2 });
  assert.equal(
    numbers.toSorted((left, right) => left - right),
    range(1, 600),
  );
  assert.equal(first, range(1, 10));
});

test("options that make no sense are refused", async () => {
  const wrong: readonly (() => unknown)[] = [
    () => redisStream("http://host", { streams: "s" }),
    () => redisStream("redis://:100%@host", { streams: "s" }),
    () => redisStream("redis://host/name", { streams: "s" }),
    () => redisStream("redis://host", { streams: [] }),
    () => redisStream("redis://host", { streams: ["s", "s"] }),
    () => redisStream("redis://host", { streams: "s", from: "yesterday" }),
    () => redisStream("redis://host", { streams: "s", until: "1-2-3" }),
    () => redisStream("redis://host", { streams: "s", until: "99999999999999999999" }),
    () => redisStream("redis://host", { streams: "s", count: 0 }),
    () => redisStream("redis://host", { streams: "s", values: "words" as "text" }),
    () => redisStream("redis://host", { streams: "s", json: "a", map: () => 1 } as { streams: string; json: string }),
  ];
  for (const make of wrong) await failure(make, "OPTION_INVALID");
});

test("a server that is restarted with its data goes on; one that comes back empty is NOT_RECOVERABLE", async () => {
  const persistent = await startRedis({ appendOnly: true });
  try {
    const own = createClient({ url: persistent.url });
    own.on("error", () => {});
    await own.connect();
    const fill = async (first: number, count: number): Promise<void> => {
      for (const n of range(first, first + count - 1)) await own.xAdd("s", `${n}-0`, { n: String(n) });
    };
    await fill(1, 20);
    const reader = redisStream(persistent.url, { streams: "s", count: 10, map: numberOf });
    const split = await onlySplit(reader);
    const ctx = testContext();
    const found = await readUntil(reader, 40, { split, ctx }, async (_, soFar) => {
      if (soFar !== 20) return;
      await persistent.kill();
      await persistent.start();
      await until(() => own.isReady);
      await fill(21, 20);
    });
    assert.equal(found, range(1, 40));
    assert.ok((ctx.counters.get("reconnects") ?? 0) > 0);
    await own.flushAll();
    await fill(1, 3);
    await failure(() => readUntil(reader, 5, { split, from: { after: "40-0" } }), "NOT_RECOVERABLE");
    own.destroy();
  } finally {
    await persistent.stop();
  }
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function failureOf(promise: Promise<unknown>, message: string): Promise<void> {
  await promise.then(
    () => assert.unreachable(`it should have failed with "${message}"`),
    (error: unknown) => assert.match((error as Error).message, message),
  );
}

if (!inSlot && (await hasRedisServer())) test.run();
