import { actor, startActors, type Delivery } from "qstream";
import { q } from "../shared.ts";

interface Order {
  readonly id: string;
  readonly cents: number;
}

const ledger = actor({
  init: () => ({ cents: 0 }),
  receive: {
    record(_, _order: Order) {},
    recordAll(_, _orders: readonly Order[]) {},
    deliver(_, _delivery: Delivery<Order>) {},
    name(_, _name: string) {},
    close() {},
  },
});
const account = actor({ init: (owner: string) => ({ owner }), receive: { pay(_, _order: Order) {} } });
const shop = actor({
  init: () => ({ orders: [] as Order[] }),
  receive: {
    next: ({ orders }, most: number): Order[] | undefined => orders.splice(0, most),
    by: ({ orders }, _owner: string) => orders,
    count: ({ orders }) => orders.length,
  },
});
const system = startActors();
const to = system.spawn(ledger);
const from = system.spawn(shop);
const orders = q.fromActor("orders", from, "next");

// @ts-expect-error: there is no such message
orders.toActor(to, "recrod");
// @ts-expect-error: its payload is another
orders.toActor(to, "name");
// @ts-expect-error: it carries nothing
orders.toActor(to, "close");
// @ts-expect-error: without batches, a message is one object
orders.toActor(to, "recordAll");
// @ts-expect-error: with batches, a message is an array
orders.toActor(to, "record", { batches: 10 });
// @ts-expect-error: with numbers, a message is a delivery
orders.toActor(to, "recordAll", { numbered: true });
// @ts-expect-error: an option of another type
orders.toActor(to, "record", { inFlight: "many" });
// @ts-expect-error: no reference
orders.toActor(ledger, "record");
// @ts-expect-error: one actor is not a kind of entities
orders.toEntities(to, ({ id }) => id, "record");
// @ts-expect-error: a key is text
orders.toEntities(system.entities(account), ({ cents }) => cents, "pay");
// @ts-expect-error: entities are made with their key
system.entities(actor({ init: (start: number) => start, receive: { add() {} } }));
// @ts-expect-error: it isn't answered with an array
q.fromActor("count", from, "count");
// @ts-expect-error: it isn't asked with a number
q.fromActor("by", from, "by");
// @ts-expect-error: there is no such message
q.fromActor("nxet", from, "nxet");
// @ts-expect-error: objects of another type
orders.map("id", ({ name }) => name);
