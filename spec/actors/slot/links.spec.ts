import * as assert from "uvu/assert";
import type { Channel } from "../../../actors/channel/channel.ts";
import { OutgoingLink } from "../../../actors/channel/outgoing-link.ts";
import { Links } from "../../../actors/slot/links.ts";
import { MemoryNetwork } from "../../../actors/transport/memory-transport.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("links of a slot");

/** A producer in slot a with links to two consumers in slot b, lives 1 and 2. */
function producer(): { readonly links: Links; readonly outgoing: readonly OutgoingLink[] } {
  const links = new Links({
    execution: "run",
    slot: "a",
    transport: new MemoryNetwork().transport("a"),
    plan: { edges: [{ from: 0, to: 1 }], inputOf: () => 0 },
    live: [
      [{ life: 0, slot: "a" }],
      [
        { life: 1, slot: "b" },
        { life: 2, slot: "b" },
      ],
    ],
  });
  const window = { objects: 100, bytes: 100_000 };
  const outgoing = [0, 1].map((to) => new OutgoingLink(0, to, window, links.target(0, 0, 0, to), undefined));
  // What is asked of a channel here is about its inputs, and it has none.
  const channel = {} as Channel;
  const empty = { sources: new Map(), consumers: new Map() };
  links.add({ life: 0, step: 0, index: 0, channel, links: new Map([[0, outgoing]]), ...empty });
  return { links, outgoing };
}

test("of lost consumers, those are told for which something can still be sent: not one that had cancelled", () => {
  const { links, outgoing } = producer();
  outgoing[0]?.close();
  const { producers } = links.cut(new Set([1, 2]));
  // The link that was cancelled sends nothing to another life of its consumer: what that lacks has to be made again.
  assert.equal(producers, [{ life: 0, edge: 0, from: 0, to: 1, seq: -1 }]);
});

test.run();
