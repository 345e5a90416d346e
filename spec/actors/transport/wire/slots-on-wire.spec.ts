import { MessageChannel } from "node:worker_threads";
import * as assert from "uvu/assert";
import { PortTransport } from "../../../../actors/transport/port-transport.ts";
import { SlotsOnWire } from "../../../../actors/transport/wire/slots-on-wire.ts";
import type { LinkMessage, Transport } from "../../../../lib/core/contracts/transport.ts";
import { parcelOf, transportContract } from "../../../contract/transport.ts";
import { suite } from "../../../kit/suite.ts";
import { countCopied } from "./copies.ts";
import { openWire, until } from "./wires.ts";

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

test.run();
