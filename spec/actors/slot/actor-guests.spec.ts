import * as assert from "uvu/assert";
import { ActorGuests } from "../../../actors/slot/actor-guests.ts";
import { localBinder } from "../../../actors/system/local-binder.ts";
import { nodeIsHere } from "../../../actors/system/nodes-here.ts";
import type { Transport } from "../../../lib/core/contracts/transport.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { MemoryNetwork } from "../../../actors/transport/memory-transport.ts";
import { actor, type ActorReference, type ProtocolOf } from "../../../lib/index.ts";
import { NodeUnderTest } from "../../kit/actor-node.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("guests of actors");

const desk = actor({
  init: () => ({ asked: 0 }),
  receive: {
    add: (state, amount: number) => (state.asked += amount),
    throws(): number {
      throw new Error("closed for lunch");
    },
    never: (_, _none: undefined, ctx) => ctx.deferred<number>(),
  },
  supervise: [{ do: "resume" }],
});

interface Guest {
  readonly guests: ActorGuests;
  readonly door: ActorGuests;
  readonly to: ActorReference<ProtocolOf<typeof desk>>;
  readonly node: NodeUnderTest;
  /** Goes on in time, and lets what was sent arrive. */
  readonly pass: (milliseconds: number) => Promise<void>;
  readonly loseDoor: () => void;
}

/** A slot without a node, and one with a node, of which the guest's clock stands still. */
function guestOf(system: string, cut: readonly string[] = []): Guest {
  const network = new MemoryNetwork();
  const node = new NodeUnderTest();
  const { clock } = node;
  const [outside, inside] = ["outside", "inside"].map((slot) => {
    const transport = network.transport(slot);
    const send = transport.send.bind(transport);
    // As a port that isn't there (any more).
    transport.send = (to, message) => {
      if (cut.includes(to)) throw new QStreamError("INTERNAL", `slot ${slot} has no port to slot ${to}`);
      send(to, message);
    };
    return transport;
  }) as [Transport, Transport];
  const guests = new ActorGuests(outside, clock);
  const door = new ActorGuests(inside, clock);
  let isLost = false;
  outside.receive((message, from) => guests.receive(message, from));
  inside.receive((message, from) => void (isLost || door.receive(message, from)));
  nodeIsHere({ system, reach: "slots" }, { node: node.node, binder: localBinder(node.node), slot: "inside" });
  const pass = async (milliseconds: number): Promise<void> => {
    await node.settle();
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    await node.pass(milliseconds);
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    await node.settle();
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { guests, door, node, pass, to: node.spawn(desk), loseDoor: () => (isLost = true) };
}

async function wayOf({ guests, pass }: Guest, system: string): Promise<string | undefined> {
  const way = guests.way(system, ["outside", "nowhere", "inside"]);
  await pass(3500);
  await pass(0);
  return way;
}

test("a slot that has a node is found, though others don't answer", async () => {
  const guest = guestOf("found");
  assert.is(await wayOf(guest, "found"), "inside");
  assert.is(await wayOf(guest, "unknown"), undefined);
});

test("questions go by the other slot, and answers and errors come back", async () => {
  const guest = guestOf("asked");
  const { guests, pass, to } = guest;
  await wayOf(guest, "asked");
  const answered = guests.ask("inside", to, "add", 5);
  const failed = guests.ask("inside", to, "throws", undefined).catch((error: Error) => error.message);
  await pass(0);
  assert.is(await answered, 5);
  assert.is(await failed, "closed for lunch");
});

test("questions end by their time, by a signal, and with their slot", async () => {
  const { guests, pass, to } = guestOf("ended");
  const stop = new AbortController();
  const late = failure(() => guests.ask("inside", to, "never", undefined, { timeoutMs: 100 }), "ASK_TIMEOUT");
  const aborted = failure(() => guests.ask("inside", to, "never", undefined, { signal: stop.signal }), "ABORTED");
  const closed = failure(() => guests.ask("inside", to, "never", undefined, { timeoutMs: 9000 }), "SESSION_CLOSED");
  await pass(150);
  await late;
  stop.abort();
  await aborted;
  guests.close();
  await closed;
});

test("a slot that can't be reached from here is passed over, and is no slot that questions go by", async () => {
  const { guests, pass, to } = guestOf("apart", ["cut"]);
  const way = guests.way("apart", ["cut", "inside"]);
  await pass(0);
  assert.is(await way, "inside");
  assert.is(await guests.way("elsewhere", ["cut"]), undefined);
  assert.is(await guests.way("elsewhere", ["cut"]), undefined, "it is looked for again");
  await failure(() => guests.ask("cut", to, "add", 1), "INTERNAL");
});

test("a slot to which there is no way any more is given up with what went by it, and so is what it asked", async () => {
  const cut: string[] = [];
  const { guests, pass, to, door } = guestOf("cut later", cut);
  const waits = guests.ask("inside", to, "never", undefined, { timeoutMs: 60_000 });
  const late = failure(() => guests.ask("inside", to, "never", undefined, { timeoutMs: 1000 }), "ASK_TIMEOUT");
  const refused = failure(() => waits, "ACTOR_STOPPED");
  await pass(0);
  cut.push("inside", "outside");
  await pass(1500);
  await late;
  await pass(1500);
  await refused;
  door.close();
  await pass(0);
});

test("what went by a slot that doesn't answer any more is refused", async () => {
  const { guests, pass, to, loseDoor } = guestOf("lost");
  const waits = guests.ask("inside", to, "never", undefined, { timeoutMs: 60_000 });
  const refused = failure(() => waits, "ACTOR_STOPPED");
  // As long as the slot answers, who asked it waits.
  for (let seconds = 0; seconds < 10; seconds++) await pass(1000);
  let isOver = false;
  void waits.catch(() => (isOver = true));
  await pass(0);
  assert.is(isOver, false);
  loseDoor();
  for (let seconds = 0; seconds < 6; seconds++) await pass(1000);
  await refused;
});

test.run();
