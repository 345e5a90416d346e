import * as assert from "uvu/assert";
import fc from "fast-check";
import type { LinkMessage } from "../../../../lib/core/contracts/transport.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { Trace } from "../../../../lib/testing/simulation/trace.ts";
import { VirtualClock } from "../../../../lib/testing/simulation/virtual-clock.ts";
import { VirtualNetwork, type Endpoint } from "../../../../lib/testing/simulation/virtual-network.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("virtual network");

const address = { execution: "run", edge: 0, from: 0, to: 0, producer: 0, consumer: 1 };

function parcel(seq: number, bytes = 8): Extract<LinkMessage, { kind: "parcel" }> {
  const payload = { format: "clone", rows: seq, bytes: new ArrayBuffer(bytes) } as const;
  return { ...address, kind: "parcel", seq, previous: seq - 1, payload };
}

/** Ends that note the seqs that they got, each with who sent it and when. */
class Net {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly trace = new Trace();
  readonly seen: { readonly at: string; readonly from: string; readonly seq: number; readonly ms: number }[] = [];

  constructor(seed = 1) {
    const random = seededRandom(seed);
    this.clock = new VirtualClock({ random });
    this.network = new VirtualNetwork({ clock: this.clock, random, trace: this.trace });
  }

  open(name: string): { readonly end: Endpoint; readonly send: (to: string, seq: number) => void } {
    const end = this.network.open(name);
    const transport = this.network.transport(end);
    transport.receive((message, from) => {
      const seq = message.kind === "parcel" ? message.seq : -1;
      this.seen.push({ at: name, from, seq, ms: this.clock.monotonic() });
    });
    return { end, send: (to, seq) => transport.send(to, parcel(seq)) };
  }

  seqs(from: string, at: string): number[] {
    return this.seen.flatMap((one) => (one.from === from && one.at === at ? [one.seq] : []));
  }
}

const upTo = (count: number, first = 0): number[] => Array.from({ length: count }, (_, index) => first + index);

test("messages of a pair stay in order, those of different pairs don't", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const net = new Net(seed);
    const [a, b] = [net.open("a"), net.open("b")];
    net.open("c");
    for (const seq of upTo(30)) for (const from of [a, b]) from.send("c", seq);
    await net.clock.run();
    assert.equal(net.seqs("a", "c"), upTo(30));
    assert.equal(net.seqs("b", "c"), upTo(30));
    orders.add(net.seen.map(({ from }) => from).join(""));
  }
  assert.is(orders.size, 20);
});

test("whatever is parted, healed, held, slowed: everything arrives once and in order", async () => {
  const step = fc.record({
    what: fc.constantFrom("send", "part", "one way", "heal", "hold", "release", "slow", "pass"),
    pair: fc.integer({ min: 0, max: 5 }),
  });
  const pairs = ["a b", "b a", "a c", "c a", "b c", "c b"].map((pair) => pair.split(" ") as [string, string]);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer(), async (steps, seed) => {
      const net = new Net(seed);
      const { network, clock } = net;
      const ends = new Map(["a", "b", "c"].map((name) => [name, net.open(name)]));
      const sent = new Map<string, number>();
      for (const { what, pair } of steps) {
        const [from, to] = pairs[pair] ?? ["a", "b"];
        const end = ends.get(from);
        if (what === "send") {
          const seq = sent.get(`${from} ${to}`) ?? 0;
          sent.set(`${from} ${to}`, seq + 1);
          end?.send(to, seq);
        } else if (what === "heal") network.heal(from, to);
        else if (what === "hold" && end !== undefined) network.hold(end.end);
        else if (what === "release" && end !== undefined) network.release(end.end);
        else if (what === "slow") network.slow(1 + pair * 10);
        else if (what === "pass") await clock.run({ ms: clock.monotonic() + pair * 0.1 });
        else network.partition(from, to, what === "one way");
      }
      network.healAll();
      for (const { end } of ends.values()) network.release(end);
      await clock.run();
      for (const [from, to] of pairs) assert.equal(net.seqs(from, to), upTo(sent.get(`${from} ${to}`) ?? 0));
      assert.is(network.inFlight, 0);
      assert.is(network.counts.delivered, network.counts.sent);
    }),
    { numRuns: 60 },
  );
});

test("a partition holds messages until it is healed, one way only if told so", async () => {
  const net = new Net();
  const [a, b] = [net.open("a"), net.open("b")];
  net.network.partition("a", "b", true);
  a.send("b", 0);
  b.send("a", 0);
  await net.clock.run({ ms: 100 });
  assert.equal(net.seqs("a", "b"), []);
  assert.equal(net.seqs("b", "a"), [0]);
  assert.is(net.network.reaches("a", "b"), false);
  net.network.heal("a", "b");
  await net.clock.run();
  assert.equal(net.seqs("a", "b"), [0]);
  assert.ok((net.seen.at(-1)?.ms ?? 0) >= 100);
});

test("a dropped link loses what is in flight, both ends are told, and what follows arrives", async () => {
  const net = new Net();
  const [a, b, c] = [net.open("a"), net.open("b"), net.open("c")];
  const told: string[] = [];
  for (const { end } of [a, b, c]) end.onDropped = (other) => told.push(`${end.name} of ${other}`);
  for (const seq of upTo(5)) {
    a.send("b", seq);
    b.send("a", seq);
    c.send("b", seq);
  }
  net.network.drop("a", "b");
  assert.equal(told, ["a of b", "b of a"]);
  a.send("b", 5);
  await net.clock.run();
  assert.equal(net.seqs("a", "b"), [5]);
  assert.equal(net.seqs("b", "a"), []);
  assert.equal(net.seqs("c", "b"), upTo(5));
  assert.is(net.network.counts.dropped, 10);
});

test("a killed end gets nothing, and of what it sent last a part arrives, from the first on", async () => {
  const kept = new Set<number>();
  for (let seed = 0; seed < 30; seed++) {
    const net = new Net(seed);
    const [a, b] = [net.open("a"), net.open("b")];
    for (const seq of upTo(6)) {
      a.send("b", seq);
      b.send("a", seq);
    }
    net.network.kill(a.end);
    a.send("b", 6);
    b.send("a", 6);
    const again = net.open("a");
    b.send("a", 7);
    again.send("b", 100);
    await net.clock.run();
    const arrived = net.seqs("a", "b").filter((seq) => seq !== 100);
    assert.equal(arrived, upTo(arrived.length));
    assert.ok(net.seqs("a", "b").includes(100));
    assert.equal(net.seqs("b", "a"), [7], "the second life gets what was sent to it");
    kept.add(arrived.length);
    const { sent, delivered, discarded } = net.network.counts;
    assert.is(sent, delivered + discarded);
  }
  assert.ok(kept.size > 3, "not always the same part");
});

test("doubled parcels arrive once more, behind later ones, as bytes of their own", async () => {
  const net = new Net();
  const a = net.open("a");
  net.open("b");
  net.network.duplicate(0.5);
  for (const seq of upTo(100)) a.send("b", seq);
  await net.clock.run();
  const seqs = net.seqs("a", "b");
  assert.equal([...new Set(seqs)], upTo(100));
  assert.is(seqs.length, 100 + net.network.counts.duplicated);
  assert.ok(net.network.counts.duplicated > 20);
});

test("the payload is handed over by value, as it was when it was sent", async () => {
  const net = new Net();
  const transport = net.network.transport(net.network.open("a"));
  let arrived: ArrayBuffer | undefined;
  net.network.transport(net.network.open("b")).receive((message) => {
    if (message.kind === "parcel") arrived = message.payload.bytes;
  });
  const message = parcel(1, 4);
  new Uint8Array(message.payload.bytes).set([1, 2, 3, 4]);
  transport.send("b", message);
  new Uint8Array(message.payload.bytes).fill(9);
  await net.clock.run();
  assert.equal([...new Uint8Array(arrived ?? new ArrayBuffer(0))], [1, 2, 3, 4]);
  assert.is.not(arrived, message.payload.bytes);
  assert.is(transport.bytesSent, 4);
});

test("orders and reports travel beside data, in their own order, and are parted with it", async () => {
  const net = new Net();
  const [a, b] = [net.network.open("a"), net.network.open("b")];
  const seen: unknown[] = [];
  const control = (value: { count: number }): void =>
    net.network.send(a, b, {
      kind: "control",
      value,
      copy: (original) => structuredClone(original),
      deliver: (arrived) => seen.push(arrived),
      what: "order",
      repeatable: false,
    });
  net.network.partition("a", "b");
  const first = { count: 1 };
  control(first);
  first.count = 7;
  control({ count: 2 });
  await net.clock.run();
  assert.equal(seen, []);
  net.network.heal("a", "b");
  await net.clock.run();
  assert.equal(seen, [{ count: 1 }, { count: 2 }]);
});

test("what is sent to nobody is discarded and counted", async () => {
  const net = new Net();
  net.open("a").send("nobody", 1);
  await net.clock.run();
  assert.is(net.network.counts.discarded, 1);
  assert.match(net.trace.toString(), "discarded");
});

test.run();
