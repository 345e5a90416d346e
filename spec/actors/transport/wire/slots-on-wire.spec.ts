import { MessageChannel } from "node:worker_threads";
import * as assert from "uvu/assert";
import { PortTransport } from "../../../../actors/transport/port-transport.ts";
import { SlotsOnWire } from "../../../../actors/transport/wire/slots-on-wire.ts";
import type { LinkMessage, Transport } from "../../../../lib/core/contracts/transport.ts";
import { parcelOf, transportContract } from "../../../contract/transport.ts";
import { suite } from "../../../kit/suite.ts";
import { countCopied } from "./copies.ts";
import { evenParcelOf, packedParcelOf } from "../packed.ts";
import { openWire, until, type Ended } from "./wires.ts";

const test = suite("slots on wires");

transportContract(
  test,
  async (slots) => {
    const nodes = await Promise.all(
      slots.map(async (slot, index) => {
        const onWire = new SlotsOnWire();
        const link = (to: string, from: string, message: LinkMessage): void => onWire.deliver(to, from, message);
        const { wire } = await openWire(`m${index}`, { link });
        return { slot, onWire, wire, address: `m${index}/${slot}` };
      }),
    );
    for (const { wire } of nodes) for (const other of nodes) wire.meet(other.wire.machine, other.wire.url);
    const ends = nodes.map(({ slot, onWire, wire, address }): Transport => {
      const inner = onWire.transport(address, wire);
      return {
        slot,
        send: (to, message) => inner.send(nodes.find((node) => node.slot === to)?.address ?? to, message),
        receive: (handler) => inner.receive((message, from) => handler(message, from.slice(from.indexOf("/") + 1))),
        get bytesSent() {
          return inner.bytesSent;
        },
        close: () => inner.close(),
      };
    });
    return { ends, cleanup: async () => void (await Promise.all(nodes.map(({ wire }) => wire.close()))) };
  },
  "two",
);

test("a large parcel of a slot's thread is copied once, and its place is used again once it has come", async () => {
  const [here, there] = [new SlotsOnWire(), new SlotsOnWire()];
  const a = await openWire("A");
  const b = await openWire("B", { link: (to, from, message) => there.deliver(to, from, message) });
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  const { port1, port2 } = new MessageChannel();
  here.connect("A/0", port2, a.wire);
  const slot = new PortTransport("A/0");
  slot.setGateway(port1);
  const receiver = there.transport("B/0", b.wire);
  let came = 0;
  let wrong = 0;
  receiver.receive((message) => {
    if (message.kind !== "parcel" || message.seq !== came++) wrong++;
    else if (new Uint8Array(message.payload.bytes).some((byte) => byte !== message.seq % 256)) wrong++;
  });
  const [rounds, count, bytes] = [10, 8, 1_000_000];
  const send = async (): Promise<void> => {
    const upTo = came + count;
    for (let seq = came; seq < upTo; seq++) {
      const parcel = parcelOf(seq, bytes);
      if (parcel.kind === "parcel") new Uint8Array(parcel.payload.bytes).fill(seq);
      slot.send("B/0", parcel);
    }
    await until(() => came + wrong >= upTo, 20_000);
  };
  await send();
  const copied = await countCopied(send);
  assert.ok(copied >= count * bytes && copied < 1.5 * count * bytes, `${copied} of ${count * bytes} bytes were copied`);
  // More than the ring has room for.
  for (let round = 2; round < rounds; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    await send();
    // oxlint-disable-next-line no-await-in-loop -- until all is acknowledged
    await a.wire.flush(1000);
  }
  assert.is(wrong, 0);
  assert.is(came, rounds * count);
  await slot.close();
  await receiver.close();
  await Promise.all([a.wire.close(), b.wire.close()]);
});

/** A slot's thread of machine A, which packs, and one of machine B. */
async function packingPair(): Promise<{
  readonly ends: readonly [PortTransport, PortTransport];
  readonly wires: readonly [Ended, Ended];
  readonly there: SlotsOnWire;
  /** Bytes of payloads as they came to B. */
  readonly came: () => number;
  readonly close: () => Promise<void>;
}> {
  const [here, there] = [new SlotsOnWire(), new SlotsOnWire()];
  let came = 0;
  const a = await openWire("A", { link: (to, from, message) => here.deliver(to, from, message) });
  const b = await openWire("B", {
    link: (to, from, message) => {
      if (message.kind === "parcel") came += message.payload.bytes.byteLength;
      there.deliver(to, from, message);
    },
  });
  a.wire.meet("B", b.wire.url);
  b.wire.meet("A", a.wire.url);
  const end = (slot: string, { wire }: Ended, slots: SlotsOnWire): PortTransport => {
    const { port1, port2 } = new MessageChannel();
    slots.connect(slot, port2, wire);
    const transport = new PortTransport(slot, new Map(), { compression: "lz4" });
    transport.setGateway(port1);
    return transport;
  };
  const ends = [end("A/0", a, here), end("B/0", b, there)] as const;
  const close = async (): Promise<void> => {
    await Promise.all(ends.map((one) => one.close()));
    await Promise.all([a.wire.close(), b.wire.close()]);
  };
  return { ends, wires: [a, b], there, came: () => came, close };
}

test("packed parcels of all sizes come as they were sent, to slots with a thread and without, of fewer bytes", async () => {
  const { ends, wires, there, came, close } = await packingPair();
  const [sender, receiver] = ends;
  const main = there.transport("B/main", wires[1].wire);
  const got = new Map<string, LinkMessage[]>([
    ["B/0", []],
    ["B/main", []],
  ]);
  receiver.receive((message) => void got.get("B/0")?.push(message));
  main.receive((message) => void got.get("B/main")?.push(message));
  // With the second the packed one goes through the ring, too; the last two don't get smaller.
  const sizes = [1_000_000, 200_000, 20_000, 800];
  const parcels = [
    ...sizes.map((bytes, seq) => evenParcelOf(seq, bytes)),
    parcelOf(4, 20_000, "batch"),
    parcelOf(5, 100_000, "columns"),
  ];
  for (const to of got.keys()) for (const parcel of parcels) sender.send(to, structuredClone(parcel));
  await until(() => [...got.values()].every((messages) => messages.length === parcels.length), 20_000);
  for (const messages of got.values()) assert.equal(messages, parcels);
  const sent = 2 * (sizes.reduce((sum, bytes) => sum + bytes, 0) + 120_000);
  assert.ok(came() < 0.6 * sent && came() > 240_000, `${came()} of ${sent} bytes`);
  await main.close();
  await close();
});

test("a machine whose packed parcels don't unpack is broken with, and counted", async () => {
  const { ends, wires, there, close } = await packingPair();
  const [a, b] = wires;
  const got: LinkMessage[] = [];
  ends[1].receive((message) => void got.push(message));
  const damaged = packedParcelOf(1, 100_000);
  new Uint8Array(damaged.payload.bytes).fill(0xff, 4);
  const { checksum: _, ...payload } = damaged.payload;
  a.wire.sendLink("B", "B/0", "A/0", { ...damaged, payload });
  await until(() => b.givenUp.length === 1, 20_000);
  assert.match(b.givenUp[0] ?? "", /^A: what comes from it can't be read/);
  assert.is(b.wire.counts.refusedMessages, 1);
  assert.equal(got, []);
  // In the thread of the wire itself.
  const c = await openWire("C", { link: (to, from, message) => there.deliver(to, from, message) });
  const main = there.transport("C/main", c.wire);
  const d = await openWire("D");
  d.wire.meet("C", c.wire.url);
  c.wire.meet("D", d.wire.url);
  d.wire.sendLink("C", "C/main", "D/0", { ...damaged, payload });
  await until(() => c.givenUp.length === 1, 20_000);
  assert.is(c.wire.counts.refusedMessages, 1);
  await main.close();
  await Promise.all([c.wire.close(), d.wire.close()]);
  await close();
});

test.run();
