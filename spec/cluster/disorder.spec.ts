// specs: waits
// specs: timeout 120 s
// Messages between machines that are late, lost, repeated and swapped inside of connections that live on: each is taken once and
// in order, and what an execution gives is what one thread gives.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { cluster, type ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { sameMultiset } from "../../lib/testing/multiset.ts";
import { openWire, until, type Ended } from "../actors/transport/wire/wires.ts";
import { assertInOrder, parcelOf } from "../contract/transport.ts";
import { BrokenRelay } from "../kit/broken-relay.ts";
import { Disorder, type DisorderOptions } from "../kit/disorder.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { addBehindRelay, type RelayedMachine } from "./behind-relay.ts";
import { sumsAndJoin } from "./fault-flows.ts";

const test = suite("messages between machines in disorder");

const some: Omit<DisorderOptions, "seed"> = { delayMs: 1, jitterMs: 4, lost: 0.02, duplicated: 0.03, swapped: 0.03 };

/** All of it, while it strikes. */
const onceOpen: DisorderOptions = { seed: 1, delayMs: 0, jitterMs: 0, lost: 1, duplicated: 0, swapped: 0 };

/** Two wires, each of which is reached by a relay. */
async function inDisorder(
  options: DisorderOptions,
  body: (a: Ended, b: Ended, disorder: Disorder) => Promise<void>,
): Promise<void> {
  const disorder = new Disorder(options);
  const toA = await BrokenRelay.open(() => a.wire.port, disorder);
  const toB = await BrokenRelay.open(() => b.wire.port, disorder);
  const leaseMs = 20_000;
  const a: Ended = await openWire("A", { leaseMs, advertise: `127.0.0.1:${toA.port}` });
  const b: Ended = await openWire("B", { leaseMs, advertise: `127.0.0.1:${toB.port}` });
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  try {
    await body(a, b, disorder);
  } finally {
    await Promise.all([a.wire.close(), b.wire.close(), toA.close(), toB.close()]);
  }
}

if (!inSlot) {
  for (const seed of [1, 2]) {
    test(
      `each message is taken once, and in order (seed ${seed})`,
      () =>
        inDisorder({ ...some, seed }, async (a, b, { counts }) => {
          const random = seededRandom(seed);
          const count = 120;
          for (let seq = 0; seq < count; seq++) {
            a.wire.sendLink("B", "B/0", "A/0", parcelOf(seq, Math.floor(random() ** 4 * 100_000)));
            b.wire.sendLink("A", "A/0", "B/0", parcelOf(seq, Math.floor(random() * 2000)));
            a.wire.tell("B", { kind: "said", seq } as { kind: string });
            // oxlint-disable-next-line no-await-in-loop -- they come in time
            if (seq % 10 === 0) await wait(random() * 15);
          }
          const came = (): boolean => [a.links, b.links, b.told].every(({ length }) => length >= count);
          await until(came, 30_000);
          assertInOrder(a.links.map((message) => ({ message })));
          assertInOrder(b.links.map((message) => ({ message })));
          assert.equal(
            b.told.map((said) => (said as { seq: number }).seq),
            Array.from({ length: count }, (_, seq) => seq),
          );
          await until(() => a.wire.bytesKept() + b.wire.bytesKept() === 0, 30_000);
          assert.is(a.links.length + b.links.length + b.told.length, 3 * count);
          assert.ok(Math.min(...Object.values(counts)) > 0, JSON.stringify(counts));
          const [ofA, ofB] = [a.wire.counts, b.wire.counts];
          assert.ok(ofA.redials + ofB.redials > 0 && ofA.repeated + ofB.repeated > 0);
          assert.equal([...a.givenUp, ...b.givenUp, ...a.silent, ...b.silent], []);
        }),
      60_000,
    );
  }

  for (const [way, send] of [
    ["data", ({ wire }) => wire.sendLink("B", "B/0", "A/0", parcelOf(1, 1000))],
    ["control", ({ wire }) => wire.tell("B", { kind: "last" })],
  ] as readonly (readonly [string, (from: Ended) => void])[]) {
    test(`a message that nothing follows is missed (${way})`, () =>
      inDisorder(onceOpen, async (a, b, disorder) => {
        const came = (): number => b.links.length + b.told.length;
        disorder.strikes = false;
        a.wire.sendLink("B", "B/0", "A/0", parcelOf(0, 1000));
        await until(() => came() === 1 && a.wire.bytesKept() === 0);
        disorder.strikes = true;
        send(a);
        await until(() => disorder.counts.lost > 0);
        await wait(20);
        disorder.strikes = false;
        assert.is(came(), 1);
        await until(() => came() === 2 && a.wire.bytesKept() === 0, 10_000);
      }));
  }

  test("an acknowledgement that nothing follows is missed", () =>
    inDisorder(onceOpen, async (a, b, disorder) => {
      disorder.strikes = false;
      a.wire.sendLink("B", "B/0", "A/0", parcelOf(0, 1000));
      await until(() => b.links.length === 1);
      disorder.strikes = true;
      // By then all that came was acknowledged, and that got lost.
      await wait(600);
      assert.ok(a.wire.bytesKept() > 0);
      disorder.strikes = false;
      await until(() => a.wire.bytesKept() === 0, 10_000);
    }));
}

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 0, leaseMs: 5000 });
  const disorders = [1, 2].map((seed) => new Disorder({ ...some, seed }));
  const relayed: RelayedMachine[] = await Promise.all(disorders.map((one) => addBehindRelay(machines, one)));

  test("machines behind relays, each with a seed of its own, give what one thread gives, and nobody is lost", async () => {
    const args = { count: 12_000, everyMs: 2 };
    const expected = await sumsAndJoin.run({ ...args, everyMs: 0 }, { slots: 1 });
    await using session = await cluster({ url: machines.url });
    for (let hasStruck = false; !hasStruck;) {
      const kinds = new Set<string>();
      const onEvent = ({ kind }: ExecutionEvent): void => void kinds.add(kind);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { sums, joined } = await sumsAndJoin.run(args, { on: session, onEvent });
      assert.ok(sameMultiset(sums, expected.sums) && sameMultiset(joined, expected.joined));
      assert.not.ok(kinds.has("slot-lost") || kinds.has("recovered"), [...kinds].join());
      hasStruck = disorders.every(({ counts }) => Math.min(...Object.values(counts)) > 0);
    }
    // Machines tell the head now and then.
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- look by look
      const counted = (await session.list()).machines.map(({ counts }) => counts);
      assert.is(counted.length, relayed.length);
      const sum = (name: keyof MachineCounts): number =>
        counted.reduce((all, counts) => all + (counts?.[name] ?? 0), 0);
      if (Math.min(sum("refusedMessages"), sum("repeated"), sum("resent"), sum("redials")) > 0) break;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await wait(100);
    }
    for (const { machine } of relayed) assert.is((machine.output().match(/^joined /gmu) ?? []).length, 1);
  });

  test.after(async () => {
    await machines.stop();
    await Promise.all(relayed.map(({ relay }) => relay.close()));
    await redis.stop();
  });
}

test.run();
