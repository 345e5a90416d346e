// specs: waits
// specs: timeout 120 s
// Workers that are told to pack parcels for each other.
import * as assert from "uvu/assert";
import { cluster, type ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster, startClusterProcess } from "../../lib/testing/loopback-cluster.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { addBehindRelay } from "./behind-relay.ts";
import { pieceTextBytes, textSums, type Texts } from "./packed-flows.ts";

const test = suite("compression between machines");

/** What `qstream worker` writes that isn't to start. */
async function refusal(words: readonly string[]): Promise<string> {
  try {
    const started = await startClusterProcess(
      ["worker", "--join", "ws://127.0.0.1:9", "--slots", "1", ...words],
      /^machine /mu,
    );
    await started.kill();
    return "it started";
  } catch (error) {
    return String(error);
  }
}

/** Processes that are started meanwhile find no LZ4 for their platform. */
async function withoutLibrary<T>(start: () => Promise<T>): Promise<T> {
  process.env["NAPI_RS_NATIVE_LIBRARY_PATH"] = "/not-there.node";
  try {
    return await start();
  } finally {
    delete process.env["NAPI_RS_NATIVE_LIBRARY_PATH"];
  }
}

if (!inSlot) {
  test("what --compress may be is said by --help, and where it is something else", async () => {
    assert.match(await refusal(["--compress", "zip"]), /ended with 2: .*--compress zip isn't known.*\n?.*none or lz4/);
    assert.match(await refusal(["--help"]), /ended with 0: [^]*--compress HOW +how large parcels/);
  }, 60_000);

  test("a machine whose platform has no LZ4 doesn't start as one that packs", async () => {
    const why = await withoutLibrary(() => refusal(["--compress", "lz4"]));
    assert.match(why, /ended with 1: [^]*PACKAGE_MISSING[^]*lz4-napi can't be loaded on/);
    assert.match(why, /start the worker without --compress/);
  }, 60_000);
}

if (!inSlot && (await hasRedisServer())) {
  const packing = ["--compress", "lz4"];
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({
    store: redis.url,
    machines: 0,
    workerWords: packing,
  });
  // Parcels between the two go through a relay, whichever of them sends.
  const relayed = [await addBehindRelay(machines), await addBehindRelay(machines)];
  const bytes = (): number => relayed.reduce((sum, { relay }) => sum + relay.bytes, 0);

  for (const form of ["columns", "clone"] as const) {
    test(`machines that pack send far fewer bytes of ${form}, and give what one thread gives`, async () => {
      const args: Texts = { pieces: 60, form };
      const alone = await textSums.run(args, { slots: 2, isolation: "none" });
      await using session = await cluster({ url: machines.url });
      const before = bytes();
      const execution = await textSums.start(args, { on: session });
      const { sums } = await execution.outputs;
      assert.equal(multiset(sums), multiset(alone.sums));
      const sent = bytes() - before;
      const text = args.pieces * pieceTextBytes;
      assert.ok(sent < text / 2, `${sent} bytes were sent, of ${text} of text`);
      // What placement goes by.
      const exchanged = execution.metrics?.bytesExchanged ?? 0;
      assert.ok(exchanged >= text, `${exchanged} bytes were handed on, of ${text} of text`);
    }, 60_000);
  }

  test("a machine without a library reads what others have packed", async () => {
    // With another database it is another cluster.
    const store = redis.url.replace(/\d+$/u, "1");
    await using mixed = await LoopbackCluster.start({ store, machines: 0 });
    const sender = await mixed.addMachine([...packing, "--tag", "packs"]);
    const reading = await withoutLibrary(() => mixed.addMachine());
    await using session = await cluster({ url: mixed.url });
    const args: Texts = { pieces: 20, form: "columns" };
    const places = new Map<string, string | undefined>();
    const onEvent = (event: ExecutionEvent): void => {
      if (event.kind === "placed") for (const { step, slot } of event.placement) places.set(step, slot.split("/")[0]);
    };
    const { sums } = await textSums.run({ ...args, tag: "packs" }, { on: session, onEvent });
    const alone = await textSums.run(args, { slots: 2, isolation: "none" });
    assert.equal(multiset(sums), multiset(alone.sums));
    assert.is(places.get("texts"), sender.id);
    assert.is(places.get("sum"), reading.id);
  }, 60_000);

  test.after(async () => {
    await machines.stop();
    await Promise.all([...relayed.map(({ relay }) => relay.close()), redis.stop()]);
  });
}

test.run();
