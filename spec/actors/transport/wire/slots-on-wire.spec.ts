import { SlotsOnWire } from "../../../../actors/transport/wire/slots-on-wire.ts";
import type { LinkMessage, Transport } from "../../../../lib/core/contracts/transport.ts";
import { transportContract } from "../../../contract/transport.ts";
import { suite } from "../../../kit/suite.ts";
import { openWire } from "./wires.ts";

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

test.run();
