// specs: timeout 120 s
// Control has connections of its own: while nothing of what waits on those for data comes through, all of it does.
import * as assert from "uvu/assert";
import { cluster, type ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { sameMultiset } from "../../lib/testing/multiset.ts";
import { openWire, until, type Ended } from "../actors/transport/wire/wires.ts";
import { assertInOrder, parcelOf } from "../contract/transport.ts";
import { BrokenRelay } from "../kit/broken-relay.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { addBehindRelay } from "./behind-relay.ts";
import { sumsAndJoin } from "./fault-flows.ts";
import { sums, sumsOf } from "./flows.ts";

const test = suite("control beside data that doesn't come through");

const data = "/wire/data";
// A connection on which nothing comes for a half of it is given up: that takes longer than these specs.
const leaseMs = 60_000;

if (!inSlot) {
  test("what a machine tells another comes past megabytes that wait, and so does credit; data for others does, too", async () => {
    const toA = await BrokenRelay.open(() => a.wire.port);
    const a: Ended = await openWire("A", { leaseMs, advertise: `127.0.0.1:${toA.port}` });
    const others = await Promise.all(["B", "C"].map((machine) => openWire(machine, { leaseMs })));
    const [b, c] = others as [Ended, Ended];
    for (const { wire } of others) {
      a.wire.meet(wire.machine, wire.url);
      wire.meet("A", wire.machine === "B" ? a.wire.url : a.wire.url.replace(/:\d+$/u, `:${a.wire.port}`));
    }
    for (const { wire } of others) a.wire.sendLink(wire.machine, `${wire.machine}/0`, "A/0", parcelOf(0, 1000));
    await until(() => b.links.length === 1 && c.links.length === 1);
    toA.stall(data);
    // More than all buffers of sockets hold.
    const [parcels, bytes] = [64, 1_000_000];
    for (let seq = 1; seq <= parcels; seq++) a.wire.sendLink("B", "B/0", "A/0", parcelOf(seq, bytes));
    for (let seq = 0; seq < 100; seq++) a.wire.tell("B", { kind: "said" });
    a.wire.sendLink("C", "C/0", "A/0", parcelOf(1, bytes));
    b.wire.sendLink("A", "A/0", "B/0", { ...parcelOf(1, 0), kind: "cancel" });
    await until(() => b.told.length === 100 && c.links.length === 2 && a.links.length === 1, 10_000);
    assert.is(b.links.length, 1, "the data waits");
    assert.ok(a.wire.bytesKept() > parcels * bytes);
    toA.goOn();
    await until(() => b.links.length === parcels + 1, 10_000);
    assertInOrder(b.links.map((message) => ({ message })));
    assert.is(a.wire.counts.redials + b.wire.counts.redials, 0);
    await Promise.all([a, b, c].map(({ wire }) => wire.close()));
    await toA.close();
  });
}

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 0, leaseMs });
  const relayed = await Promise.all([addBehindRelay(machines), addBehindRelay(machines)]);

  test("an execution whose parcels don't come through is cancelled, and no slot is given up for that", async () => {
    await using session = await cluster({ url: machines.url });
    const slots = async (): Promise<readonly string[]> =>
      (await session.list()).machines.flatMap((machine) => machine.slots);
    const before = await slots();
    const seen = { events: [] as string[], rows: 0, sameFor: 0 };
    const onEvent = (event: ExecutionEvent): void => {
      seen.events.push(event.kind);
      if (event.kind !== "progress") return;
      seen.sameFor = event.metrics.rowsRead > 0 && event.metrics.rowsRead === seen.rows ? seen.sameFor + 1 : 0;
      seen.rows = event.metrics.rowsRead;
    };
    const execution = await sumsAndJoin.start({ count: 10_000_000, everyMs: 1 }, { on: session, onEvent });
    execution.outputs.catch(() => {});
    await until(() => seen.rows > 0, 20_000);
    for (const { relay } of relayed) relay.stall(data);
    // Whoever sends has no credit any more.
    await until(() => seen.sameFor >= 15, 30_000);
    const { rows } = seen;
    execution.cancel("enough");
    await failure(() => execution.outputs, "ABORTED");
    assert.not.ok(seen.events.includes("slot-lost"));
    assert.is(seen.rows, rows, "the data waits");
    for (const { relay } of relayed) relay.goOn();
    const outputs = await sums.run({ upTo: 10_000 }, { on: session });
    assert.ok(sameMultiset(outputs.sums, sumsOf(10_000)));
    assert.equal(await slots(), before);
  }, 60_000);

  test.after(async () => {
    await machines.stop();
    await Promise.all(relayed.map(({ relay }) => relay.close()));
    await redis.stop();
  });
}

test.run();
