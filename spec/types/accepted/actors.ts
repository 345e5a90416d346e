// Protocols are inferred from handlers, and references know what they can be told and asked.
import {
  actor,
  broadcaster,
  router,
  startActors,
  workerPool,
  type ActorDefinition,
  type ActorReference,
  type AnyReference,
  type Deferred,
  type ProtocolOf,
} from "qstream";
import { is, type Same } from "../shared.ts";

interface Item {
  readonly sku: string;
  readonly pieces: number;
}

/** The state is inferred from `init`, with arguments, without, with a context, and from a promise. */
const counter = actor({
  kind: "counter",
  init: (start: number) => ({ count: start }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    get: (state) => state.count,
    later: async (state) => String(state.count),
    deferred: (_state, _: undefined, ctx) => ctx.deferred<Date>(),
    either: (state, _: undefined, ctx): number | Deferred<number> => (state.count > 0 ? 1 : ctx.deferred<number>()),
    order: (state, item: Item) => item.pieces + state.count,
    perhaps: (_state, item?: Item) => item?.sku,
    anything: (_state, given: unknown) => given !== undefined,
  },
  modes: {
    closed: {
      add(state, amount) {
        state.count -= amount;
      },
      later: (state) => String(state.count),
      get: async (state) => state.count,
      deferred: (_state, _, ctx) => new Date(ctx.now()),
    },
  },
  watched(state, { reason }) {
    if (reason === "failed") state.count = 0;
  },
  stopped: async (state) => void state.count,
});
const withContext = actor({
  init: async (name: string, ctx) => ({ name, other: ctx.spawn(counter, 1) }),
  receive: { get: ({ other }) => other.ask("get"), name: ({ name }) => name.length },
});
const plain = actor({ init: () => new Map<string, number>(), receive: { size: (map) => map.size } });

is<
  Same<
    ProtocolOf<typeof counter>,
    {
      readonly add: (payload: number) => void;
      readonly get: () => number;
      readonly later: () => string;
      readonly deferred: () => Date;
      readonly either: () => number;
      readonly order: (payload: Item) => number;
      readonly perhaps: (payload?: Item) => string | undefined;
      readonly anything: (payload: unknown) => boolean;
    }
  >
>();
is<Same<ProtocolOf<typeof withContext>, { readonly get: () => number; readonly name: () => number }>>();

export async function talk(): Promise<void> {
  await using system = startActors({ seed: 5, onEvent: (event) => void event.kind });
  const one = system.spawn(counter, 5, { name: "one", mailbox: { limit: 10 } });
  one.tell("add", 3);
  one.tell("get");
  one.tell("perhaps");
  one.tell("perhaps", { sku: "tea", pieces: 1 });
  const count = await one.ask("get");
  is<Same<typeof count, number>>();
  const text = await one.ask("later", undefined, { timeoutMs: 100 });
  is<Same<typeof text, string>>();
  const date = await one.ask("deferred");
  is<Same<typeof date, Date>>();
  const sum = await one.ask("order", { sku: "tea", pieces: 2 }, { signal: AbortSignal.timeout(10) });
  is<Same<typeof sum, number>>();

  // No arguments, or options without them.
  system.spawn(plain);
  system.spawn(plain, undefined, { name: "plain" });
  system.entity(plain, "any");
  system.entity(withContext, "ann").tell("name");

  // A reference of a larger protocol where a smaller one is wanted, and any where nothing is known.
  const reader: ActorReference<{ get: () => number }> = one;
  const any: AnyReference = reader;
  any.tell("whatever", 5);
  const list: ActorReference<{ get: () => number }>[] = [one, system.spawn(withContext, "ann")];
  await Promise.all(list.map((each) => each.ask("get")));

  const pool = system.spawn(
    workerPool(counter, { size: 4, key: ({ name, payload }) => (name === "order" ? payload.sku : 0) }),
    1,
  );
  pool.tell("order", { sku: "tea", pieces: 1 });
  const chosen = await system.spawn(router(list)).ask("get");
  is<Same<typeof chosen, number>>();
  const all = await system.spawn(broadcaster(list)).ask("get");
  is<Same<typeof all, number[]>>();
}

/** A protocol can be written down, and a definition be assigned to it that can do more. */
interface Account {
  deposit: (cents: number) => void;
  balance: () => number;
  children: () => ActorReference<Account>[];
}

export const account: ActorDefinition<Account, string> = actor({
  init: (owner: string, ctx) => ({ owner, cents: ctx.restarts }),
  receive: {
    deposit(state, cents: number) {
      state.cents += cents;
    },
    balance: async (state) => state.cents,
    children: ({ owner }, _: undefined, ctx) => [ctx.spawn(account, `${owner}'s child`)],
    close(_state, _: undefined, ctx) {
      ctx.stop();
    },
  },
});
