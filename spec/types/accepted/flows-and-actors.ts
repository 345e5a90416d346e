// Flows that send to actors and read from them: names of messages, and payloads, are those of the actors' protocols.
import {
  actor,
  actorSink,
  defineFlow,
  entitiesSink,
  fromActor,
  startActors,
  takeOnce,
  type ActorReference,
  type Delivery,
  type EntityKind,
  type Heard,
  type ProtocolOf,
  type QStream,
  type Reader,
  type SentToActors,
} from "qstream";
import { is, q, type Same } from "../shared.ts";

interface Order {
  readonly id: string;
  readonly cents: number;
}

const ledger = actor({
  init: () => ({ cents: 0, heard: {} as Heard }),
  receive: {
    record(state, { cents }: { readonly cents: number }) {
      state.cents += cents;
    },
    recordAll(state, orders: readonly Order[]) {
      state.cents += orders.length;
    },
    mutable: (_, orders: Order[]) => orders.length,
    deliver(state, delivery: Delivery<Order>) {
      for (const { cents } of takeOnce(state.heard, delivery)) state.cents += cents;
    },
    anything: (_, _what: unknown) => 0,
    close() {},
  },
});
const account = actor({ init: (owner: string) => ({ owner }), receive: { pay(_, _order: Order) {} } });
const shop = actor({
  init: () => ({ orders: [] as Order[] }),
  receive: {
    next: ({ orders }, most: number): Order[] | undefined => orders.splice(0, most),
    all: ({ orders }) => orders,
    async later({ orders }, most?: number) {
      return most === undefined ? undefined : orders;
    },
    count: ({ orders }) => orders.length,
  },
});

type Ledger = ActorReference<ProtocolOf<typeof ledger>>;
type Accounts = EntityKind<ProtocolOf<typeof account>>;
type Shop = ActorReference<ProtocolOf<typeof shop>>;

export const flow = defineFlow(
  import.meta.url,
  (builder, args: { ledger: Ledger; accounts: Accounts; shop: Shop; others: readonly Shop[] }) => {
    const orders = builder.fromActor("orders", args.shop, "next", { most: 10 });
    is<Same<typeof orders, QStream<Order>>>();
    const more: QStream<Order> = builder.fromActor("more", args.others, "later", { channels: 3 });
    const all: QStream<Order> = builder.fromActor("all", args.shop, "all");
    return {
      one: orders.toActor(args.ledger, "record", { inFlight: 8 }),
      many: more.toActor(args.ledger, "recordAll", { batches: 100, channels: 2 }),
      changed: more.toActor(args.ledger, "mutable", { batches: 100 }),
      once: all.toActor(args.ledger, "deliver", { numbered: true, batches: 10 }),
      whatever: all.toActor(args.ledger, "anything"),
      paid: all.toEntities(args.accounts, ({ id }) => id, "pay"),
    };
  },
);

const system = startActors();
const outputs = flow.run({
  ledger: system.spawn(ledger),
  accounts: system.entities(account),
  shop: system.spawn(shop),
  others: [system.spawn(shop)],
});
is<Same<Awaited<typeof outputs>["one"], SentToActors>>();

export const reader: Reader<Order> = fromActor(system.spawn(shop), "next");
export const sink = q.read("orders", reader).to(actorSink(system.spawn(ledger), "record"));
export const entities = q
  .read("again", reader)
  .to(entitiesSink(system.entities(account), (order: Order) => order.id, "pay"));
