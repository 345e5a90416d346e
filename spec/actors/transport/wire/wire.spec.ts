import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { decodeFrame, encodeFrame } from "../../../../lib/core/envelope/frame.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { assertInOrder, parcelOf } from "../../../contract/transport.ts";
import { BrokenRelay } from "../../../kit/broken-relay.ts";
import { suite } from "../../../kit/suite.ts";
import { countCopied } from "./copies.ts";
import { openWire, until, type Ended } from "./wires.ts";

const test = suite("wire");

async function betweenRelays(
  body: (a: Ended, b: Ended, relays: readonly BrokenRelay[]) => Promise<void>,
  leaseMs = 4000,
): Promise<void> {
  const toA = await BrokenRelay.open(() => a.wire.port);
  const toB = await BrokenRelay.open(() => b.wire.port);
  const a: Ended = await openWire("A", { leaseMs, advertise: `127.0.0.1:${toA.port}` });
  const b: Ended = await openWire("B", { leaseMs, advertise: `127.0.0.1:${toB.port}` });
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  try {
    await body(a, b, [toA, toB]);
  } finally {
    await Promise.all([a.wire.close(), b.wire.close(), toA.close(), toB.close()]);
  }
}

for (const seed of [1, 2, 3]) {
  test(`whatever breaks, every message comes once and in order (seed ${seed})`, () =>
    betweenRelays(async (a, b, relays) => {
      const random = seededRandom(seed);
      const count = 200;
      for (let seq = 0; seq < count; seq++) {
        a.wire.sendLink("B", "B/0", "A/0", parcelOf(seq, Math.floor(random() ** 4 * 300_000)));
        b.wire.sendLink("A", "A/0", "B/0", parcelOf(seq, Math.floor(random() * 2000)));
        a.wire.tell("B", { kind: "said", seq } as { kind: string });
        if (random() < 0.04) relays[random() < 0.5 ? 0 : 1]?.[random() < 0.7 ? "cut" : "halfClose"]();
        if (seq % 10 === 0) await wait(random() * 15);
      }
      await until(() => a.links.length >= count && b.links.length >= count && b.told.length >= count, 12_000);
      assert.is(a.links.length + b.links.length + b.told.length, 3 * count);
      assertInOrder(a.links.map((message) => ({ message })));
      assertInOrder(b.links.map((message) => ({ message })));
      assert.equal(
        b.told.map((said) => (said as { seq: number }).seq),
        Array.from({ length: count }, (_, seq) => seq),
      );
      await Promise.all([a.wire.flush(4000), b.wire.flush(4000)]);
      assert.is(a.wire.bytesKept() + b.wire.bytesKept(), 0);
      assert.is(a.wire.refused + b.wire.refused, 0);
    }));
}

test("a stalled connection is given up for another before the lease ends", () =>
  betweenRelays(async (a, b, relays) => {
    a.wire.watch("B");
    a.wire.sendLink("B", "B/0", "A/0", parcelOf(0, 100));
    await until(() => b.links.length === 1);
    for (const relay of relays) relay.stall();
    a.wire.sendLink("B", "B/0", "A/0", parcelOf(1, 100));
    await wait(300);
    assert.is(b.links.length, 1);
    await wait(2200);
    for (const relay of relays) relay.goOn();
    await until(() => b.links.length === 2);
    assertInOrder(b.links.map((message) => ({ message })));
    assert.equal(a.silent, []);
  }));

test("silence beyond the lease is told once, and a machine given up hears of it", () =>
  betweenRelays(async (a, b, relays) => {
    a.wire.watch("B");
    b.wire.watch("A");
    a.wire.tell("B", { kind: "hello" });
    await until(() => b.told.length === 1);
    for (const relay of relays) {
      relay.shut = true;
      relay.cut();
    }
    await until(() => a.silent.length === 1 && b.silent.length === 1);
    a.wire.giveUp("B");
    for (const relay of relays) relay.shut = false;
    b.wire.tell("A", { kind: "late" });
    await until(() => b.givenUp.length === 1);
    assert.match(b.givenUp[0] ?? "", /^A: .*given up/u);
    assert.equal([a.silent, b.silent, a.told], [["B"], ["A"], []]);
    assert.ok((a.wire.refusals["given-up"] ?? 0) > 0);
  }, 1000));

test("what is for a machine that is forgotten or unknown takes no memory, and who was forgotten finds out", () =>
  betweenRelays(async (a, b) => {
    a.wire.tell("B", { kind: "hello" });
    await until(() => b.told.length === 1 && a.wire.bytesKept() === 0);
    b.wire.forget("A");
    await until(() => a.givenUp.length === 1);
    assert.match(a.givenUp[0] ?? "", /forgotten/u);
    for (let seq = 0; seq < 100; seq++) a.wire.sendLink("B", "B/0", "A/0", parcelOf(seq, 1000));
    a.wire.tell("nobody", { kind: "hello" });
    assert.is(a.wire.bytesKept(), 0);
    assert.is(a.wire.undelivered, 101);
  }));

test("a peer that never acknowledges can't fill memory", async () => {
  const a = await openWire("A", { keptBytesMax: 2_000_000 });
  a.wire.meet("B", "ws://127.0.0.1:9");
  for (let seq = 0; seq < 40; seq++) a.wire.sendLink("B", "B/0", "A/0", parcelOf(seq, 100_000));
  assert.is(a.wire.bytesKept(), 0);
  await until(() => a.givenUp.length === 1);
  assert.match(a.givenUp[0] ?? "", /more than 2000000 bytes wait/u);
  await a.wire.close();
});

test("frames hold the very buffers of payloads", () => {
  const parcel = parcelOf(0, 100_000);
  const { head, payload } = encodeFrame(parcel);
  assert.ok(parcel.kind === "parcel" && payload?.buffer === parcel.payload.bytes);
  const came = payload ?? new Uint8Array(0);
  const decoded = decodeFrame(head, came);
  assert.ok(decoded.kind === "parcel" && decoded.payload.bytes === came.buffer);
});

test("of what a parcel of a megabyte holds, less than a half is copied by the wires: beside heads, what was read with them", async () => {
  const a = await openWire("A");
  const b = await openWire("B");
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  a.wire.sendLink("B", "B/0", "A/0", parcelOf(0, 10));
  await until(() => b.links.length === 1);
  const [count, bytes] = [8, 1_000_000];
  const parcels = Array.from({ length: count }, (_, index) => parcelOf(index + 1, bytes));
  const copied = await countCopied(async () => {
    for (const parcel of parcels) a.wire.sendLink("B", "B/0", "A/0", parcel);
    await until(() => b.links.length === count + 1);
  });
  assert.ok(copied < (count * bytes) / 2, `${copied} of ${count * bytes} bytes were copied`);
  assertInOrder(b.links.map((message) => ({ message })));
  await Promise.all([a.wire.close(), b.wire.close()]);
});

test.run();
