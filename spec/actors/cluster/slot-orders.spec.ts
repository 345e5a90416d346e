// What drivers order of slots: gathered for their machine, and packed.
import * as assert from "uvu/assert";
import { packOrders, unpackOrders } from "../../../actors/cluster/packed-places.ts";
import type { PackedOrders, SlotOrder } from "../../../actors/cluster/protocol.ts";
import { SlotOrders } from "../../../actors/cluster/slot-orders.ts";
import type { LinkOrder, Order, PrepareOrder } from "../../../actors/slot/protocol.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("orders on their way to machines");

const execution = "run-1";
const slots = ["m-0/slot-0", "m-0/slot-1", "m-1/slot-0"];
const wide = [0, 1, 2];
const prepare = (places: Pick<PrepareOrder, "slots" | "placement">): Order =>
  ({ kind: "prepare", execution, ...places, channels: [] }) as unknown as Order;
const start: Order = { kind: "start", execution };

type Sent = readonly [string, readonly SlotOrder[]];

test("what is ordered in one turn goes to each machine at once, in its order", async () => {
  const sent: Sent[] = [];
  const orders = new SlotOrders((machine, all) => void sent.push([machine, all]), undefined);
  orders.add("m-0", "slot-0", start);
  orders.add("m-1", "slot-0", start);
  orders.add("m-0", "slot-1", start);
  orders.add("m-0", "slot-0", { kind: "commit", execution });
  assert.equal(sent, []);
  await Promise.resolve();
  assert.equal(
    sent.map(([machine, all]) => [machine, ...all.map(({ slot, order }) => `${slot} ${order.kind}`)]),
    [
      ["m-0", "slot-0 start", "slot-1 start", "slot-0 commit"],
      ["m-1", "slot-0 start"],
    ],
  );
});

test("what a machine is told otherwise comes behind what was ordered before", () => {
  const sent: string[] = [];
  const orders = new SlotOrders((machine) => void sent.push(machine), undefined);
  orders.add("m-0", "slot-0", start);
  orders.flush("m-0");
  orders.flush("m-0");
  assert.equal(sent, ["m-0"]);
});

test("where an execution may not begin yet, machines hear nothing of it until it may; it asks once", async () => {
  const sent: Sent[] = [];
  let [asked, begin] = [0, (): void => {}];
  const orders = new SlotOrders(
    (machine, all) => void sent.push([machine, all]),
    () => new Promise((resolve) => ([asked, begin] = [asked + 1, resolve])),
  );
  const order = prepare({ slots, placement: [wide] });
  orders.add("m-0", "slot-0", order);
  orders.add("m-1", "slot-0", order);
  await Promise.resolve();
  orders.flush("m-0");
  orders.add("m-0", "slot-0", start);
  await Promise.resolve();
  assert.equal([asked, sent], [1, []]);
  begin();
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(
    sent.map(([machine, all]) => [machine, ...all.map((one) => one.order.kind)]),
    [
      ["m-0", "prepare", "start"],
      ["m-1", "prepare"],
    ],
  );
  orders.add("m-0", "slot-0", order);
  await Promise.resolve();
  assert.equal([asked, sent.length], [1, 3]);
});

test("where channels are travels once for all slots of a machine, and steps still share what they shared", () => {
  const same = { slots, placement: [wide, [2], wide] };
  const other = { slots: ["m-9/slot-0"], placement: [[0]] };
  const orders: SlotOrder[] = [
    { slot: "slot-0", order: prepare(same) },
    { slot: "slot-1", order: prepare(same) },
    { slot: "slot-1", order: start },
    { slot: "slot-0", order: prepare(other) },
  ];
  const packed = packOrders(orders);
  assert.is(packed.places.length, 2);
  assert.equal(packed.orders[0]?.order, prepare({ slots: [], placement: [] }));
  const unpacked = unpackOrders(packed);
  assert.equal(unpacked, orders);
  const [first] = unpacked;
  const { placement = [] } = (first?.order ?? {}) as Partial<PrepareOrder>;
  assert.is(placement[0], placement[2]);
  assert.is(placement.length, 3);
});

test("so are other lives, once for all slots of a machine", () => {
  const placed = [
    { step: 0, channel: 3, life: 12, slot: "m-0/slot-0" },
    { step: 1, channel: 0, life: 13, slot: "m-1/slot-0" },
    { step: 1, channel: 1, life: 14, slot: "m-0/slot-0" },
  ];
  const recover = (of: typeof placed): Order => ({ kind: "recover", execution, round: 1, placed: of, channels: [] });
  const orders: SlotOrder[] = [
    { slot: "slot-0", order: recover(placed) },
    { slot: "slot-1", order: recover(placed) },
    { slot: "slot-1", order: recover([]) },
  ];
  const packed = packOrders(orders);
  assert.is(packed.places.length, 1);
  assert.equal(packed.orders[1]?.order, recover([]));
  assert.equal(unpackOrders(packed), orders);
  // Of another kind it isn't what the order needs.
  const prepared = packOrders([{ slot: "slot-0", order: prepare({ slots, placement: [wide] }) }]);
  assert.throws(() => unpackOrders({ ...packed, places: prepared.places }), /invalid/u);
});

test("links are packed where they are many, and none is to a life that makes outputs again", () => {
  const connect = (links: readonly LinkOrder[]): Order => ({ kind: "connect", execution, round: 1, links });
  const many = Array.from({ length: 2000 }, (_, index) => ({ consumer: index % 20, edge: 1, from: index }));
  const replayed = many.map((link) => ({ ...link, replay: { life: 1, slot: "m-0/slot-0", through: Infinity } }));
  const orders = [many, many.slice(0, 3), replayed].map((links) => ({ slot: "slot-0", order: connect(links) }));
  const packed = packOrders(orders);
  assert.equal(
    packed.orders.map(({ order }) => order),
    [connect([]), connect(many.slice(0, 3)), connect(replayed)],
  );
  assert.ok((packed.places[0]?.byteLength ?? Infinity) < 8000);
  assert.equal(unpackOrders(packed), orders);
});

test("places of thousands of channels are small, and grow no faster than these", () => {
  const bytesOf = (machines: number): number => {
    const names = Array.from({ length: machines * 8 }, (_, index) => `host-${index >> 3}-4711/slot-${index & 7}`);
    const places = { slots: names, placement: Array.from({ length: 10 }, () => names.map((_, index) => index)) };
    return packOrders([{ slot: "slot-0", order: prepare(places) }]).places[0]?.byteLength ?? 0;
  };
  assert.ok(bytesOf(200) < 20_000 && bytesOf(200) < 30 * bytesOf(10), `${bytesOf(200)}, ${bytesOf(10)}`);
});

test("what all together would be larger than a message may be is refused before it is", () => {
  const places = { slots, placement: [wide] };
  const packed = packOrders(
    [prepare(places), prepare({ ...places, placement: [wide] })].map((order) => ({ slot: "s", order })),
  );
  const bytes = JSON.stringify([slots, [0], wide]).length;
  assert.is(packed.places.length, 2);
  assert.is(unpackOrders(packed, 2 * bytes).length, 2);
  assert.throws(() => unpackOrders(packed, 2 * bytes - 1), /invalid/u);
});

test("what isn't where channels are is refused", () => {
  const good = packOrders([{ slot: "slot-0", order: prepare({ slots, placement: [wide] }) }]);
  const wrong: PackedOrders[] = [
    { ...good, places: [] },
    { ...good, places: [new Uint8Array([1, 2, 3])] },
    { orders: [{ slot: "slot-0", order: start, places: 0 }], places: good.places },
    ...[
      { slots: [1], placement: [] },
      { slots: {}, placement: [] },
      { slots, placement: [["0"]] },
    ].map((places) => packOrders([{ slot: "slot-0", order: prepare(places as never) }])),
  ];
  for (const packed of wrong) assert.throws(() => unpackOrders(packed), /invalid/u);
});

test.run();
