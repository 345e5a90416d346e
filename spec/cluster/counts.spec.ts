// specs: timeout 120 s
// What machines refuse, drop and send again is counted, and reaches whoever asks the head.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Machine } from "../../actors/cluster/machine.ts";
import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import { dial } from "../../actors/transport/wire/dial.ts";
import { helloHeaders } from "../../actors/transport/wire/wire-hello.ts";
import type { Told } from "../../actors/transport/wire/wire-message.ts";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { openWire, token, until } from "../actors/transport/wire/wires.ts";
import { parcelOf } from "../contract/transport.ts";
import { BrokenRelay } from "../kit/broken-relay.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { openMachine } from "./open-machine.ts";

const test = suite("what machines count");

const security = { token, tls: undefined };
const nothing: MachineCounts = {
  refusedConnections: 0,
  refusedMessages: 0,
  late: 0,
  resent: 0,
  repeated: 0,
  redials: 0,
};

if (!inSlot) {
  const relay: BrokenRelay = await BrokenRelay.open(() => Number(new URL(machine.url).port));
  const machine: Machine = await openMachine({ leaseMs: 20_000 });
  /** How much more there is of each than there was before. */
  const moreThan = (before: MachineCounts): MachineCounts => ({
    refusedConnections: machine.counts.refusedConnections - before.refusedConnections,
    refusedMessages: machine.counts.refusedMessages - before.refusedMessages,
    late: machine.counts.late - before.late,
    resent: machine.counts.resent - before.resent,
    repeated: machine.counts.repeated - before.repeated,
    redials: machine.counts.redials - before.redials,
  });

  test("connections that aren't let in, and messages that nobody sends", async () => {
    assert.equal(machine.counts, nothing);
    const hello = { from: "N", to: "M", url: "ws://127.0.0.1:9", received: 0 };
    await dial(`${machine.url}/wire/control`, helloHeaders(hello), {
      token: "another-token-than-its",
      tls: undefined,
    }).then(
      () => assert.unreachable(),
      () => {},
    );
    await dial(`${machine.url}/wire/control`, helloHeaders({ ...hello, to: "somebody" }), security).then(
      () => assert.unreachable(),
      () => {},
    );
    const { socket } = await dial(`${machine.url}/wire/control`, helloHeaders(hello), security);
    socket.send("text");
    socket.resume();
    await until(() => socket.readyState === socket.CLOSED);
    assert.equal(machine.counts, { ...nothing, refusedConnections: 2, refusedMessages: 1 });
  });

  test("orders, and messages of links, of executions that aren't here, in slots and without", async () => {
    const driver = await openWire("late");
    driver.wire.meet("M", machine.url);
    const before = machine.counts;
    const order = { kind: "start", execution: "run-of-nobody" };
    driver.wire.tell("M", { kind: "orders", orders: [{ slot: "M/slot-0", order }], places: [] } as Told);
    const parcel = { ...parcelOf(1, 10), execution: "run-of-nobody" };
    driver.wire.sendLink("M", "M/slot-77", "late/client", parcel);
    driver.wire.sendLink("M", "M/slot-0", "late/client", parcel);
    driver.wire.sendLink("M", "M/slot-0", "late/client", parcel);
    await until(() => machine.counts.late - before.late === 4, 15_000);
    assert.equal(moreThan(before), { ...nothing, late: 4 });
    await driver.wire.close();
  });

  test("messages that are sent again, or came again, where a connection broke, also of a machine that is forgotten", async () => {
    const before = machine.counts;
    const driver = await openWire("flapping", { leaseMs: 20_000 });
    driver.wire.meet("M", machine.url.replace(/:\d+$/u, `:${relay.port}`));
    const tell = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn++) {
        driver.wire.tell("M", { kind: "machines", machines: [] } as Told);
        // oxlint-disable-next-line no-await-in-loop -- what is cut off is on its way
        if (turn % 5 === 0) await wait(1);
      }
    };
    await tell(1);
    await until(() => driver.told.length > 0);
    for (let turn = 0; turn < 40 && driver.wire.counts.resent === 0; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- until something was on its way
      await Promise.all([tell(200), wait(3).then(() => relay.cut())]);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await driver.wire.flush(10_000);
    }
    const { resent, redials } = driver.wire.counts;
    assert.ok(resent > 0 && redials > 0, JSON.stringify(driver.wire.counts));
    // Not all that is sent again had come before.
    const { repeated } = moreThan(before);
    assert.ok(repeated <= resent, `${repeated} of ${resent}`);
    driver.wire.forget("M");
    assert.equal([driver.wire.counts.resent, driver.wire.counts.redials], [resent, redials]);
    await driver.wire.close();
  }, 60_000);

  test.after(async () => {
    await machine.close();
    await relay.close();
  });
}

if (!inSlot && (await hasRedisServer())) {
  test("the head lists what each machine has counted, and what it has refused itself", async () => {
    const redis = await startRedisServer();
    const machines = await LoopbackCluster.start({ store: redis.url, machines: 2 });
    try {
      await using session = await cluster({ url: machines.url });
      const [first] = machines.machines;
      // Who asks whether they live isn't counted.
      for (const url of [machines.url, first?.url ?? ""]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        assert.is((await fetch(new URL("/healthy", url.replace(/^ws/u, "http")))).status, 200);
      }
      const strange = { from: "N", to: "somebody", url: "ws://127.0.0.1:9", received: 0 };
      for (const url of [`${first?.url}/wire/data`, `${first?.url}/wire/control`, `${machines.url}/nowhere`]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await dial(url, helloHeaders(strange), { token: undefined, tls: undefined }).catch(() => {});
      }
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- until it has come
        const { machines: listed, refusedConnections } = await session.list();
        const counts = new Map(listed.map(({ id, counts: each }) => [id, each]));
        if (counts.get(first?.id ?? "")?.refusedConnections !== 2) {
          // oxlint-disable-next-line no-await-in-loop -- it waits
          await wait(100);
          continue;
        }
        assert.equal(counts.get(first?.id ?? ""), { ...nothing, refusedConnections: 2 });
        assert.is(counts.get(machines.machines[1]?.id ?? ""), undefined);
        assert.is(refusedConnections, 1);
        break;
      }
    } finally {
      await machines.stop();
      await redis.stop();
    }
  }, 60_000);
}

test.run();
