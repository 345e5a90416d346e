/**
 * A flow between actors: it takes orders from shops, prices them, and sends what each customer owes to the customer's account.
 *
 *     node dist/examples/flow-and-actors.js [--slots N]
 *
 * Shops and accounts are actors on the same slots as the flow. The flow asks each shop for orders when it wants more, and a shop hands
 * out what it has. Each account is an entity, which is there from its first message on; messages to it are deliveries, whose objects
 * have numbers, so that none is booked twice, though a slot be lost on the way. Both sides are held back by the slower one.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  actor,
  defineActors,
  defineFlow,
  formatTable,
  local,
  takeOnce,
  type ActorReference,
  type Delivery,
  type EntityKind,
  type FlowSession,
  type Heard,
  type ProtocolOf,
} from "qstream";

export interface Order {
  readonly customer: string;
  readonly item: string;
  readonly pieces: number;
}

export interface Debt {
  readonly customer: string;
  readonly cents: number;
}

export const cents: Readonly<Record<string, number>> = { tea: 350, cake: 420, jam: 280 };

/** Hands out the orders that it was opened with. */
export const shop = actor({
  init: (orders: readonly Order[]) => ({ orders, sold: 0 }),
  receive: {
    sell(state, most: number): readonly Order[] | undefined {
      const orders = state.orders.slice(state.sold, state.sold + most);
      state.sold += orders.length;
      return orders.length === 0 ? undefined : orders;
    },
  },
});

export const account = actor({
  init: (customer: string) => ({ customer, cents: 0, heard: {} as Heard }),
  receive: {
    owe(state, delivery: Delivery<Debt>) {
      for (const debt of takeOnce(state.heard, delivery)) state.cents += debt.cents;
    },
    balance: (state) => state.cents,
  },
});

export const market = defineActors(import.meta.url, { shop, account });

interface Market {
  readonly shops: readonly ActorReference<ProtocolOf<typeof shop>>[];
  readonly accounts: EntityKind<ProtocolOf<typeof account>>;
}

export const billing = defineFlow(import.meta.url, (q, { shops, accounts }: Market) => ({
  billed: q
    .fromActor("orders", shops, "sell", { most: 100 })
    .map("price", ({ customer, item, pieces }): Debt => ({ customer, cents: pieces * (cents[item] ?? 0) }))
    .toEntities(accounts, ({ customer }) => customer, "owe", { numbered: true }),
}));

/** One day of a market: what each customer owes in the evening. */
export async function marketDay(
  session: FlowSession,
  orders: readonly (readonly Order[])[],
): Promise<ReadonlyMap<string, number>> {
  await using system = await market.start({ on: session });
  const shops = orders.map((ofShop) => system.spawn(shop, ofShop));
  await billing.run({ shops, accounts: system.entities(account) }, { on: session });
  const customers = [...new Set(orders.flat().map(({ customer }) => customer))].toSorted();
  const balances = customers.map((customer) => system.entity(account, customer).ask("balance"));
  return new Map((await Promise.all(balances)).map((balance, index) => [customers[index] ?? "", balance]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({ options: { slots: { type: "string", default: "2" } } });
  const items = Object.keys(cents);
  const customers = ["ann", "bob", "cem", "dora"];
  const orders = [0, 1, 2].map((number) =>
    Array.from({ length: 500 }, (_, index) => ({
      customer: customers[(index + number) % customers.length] ?? "",
      item: items[(index * 7 + number) % items.length] ?? "",
      pieces: 1 + (index % 3),
    })),
  );
  await using session = await local({ slots: Number(values.slots) });
  const balances = await marketDay(session, orders);
  console.log(formatTable([...balances].map(([customer, owes]) => ({ customer, cents: owes }))));
}
