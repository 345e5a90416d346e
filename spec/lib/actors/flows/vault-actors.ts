// Durable entities that a flow delivers to, as a module that slots load.
import {
  actor,
  defineActors,
  defineFlow,
  numbers,
  takeOnce,
  type Delivery,
  type EntityKind,
  type Heard,
  type ProtocolOf,
} from "../../../../lib/index.ts";

export const vaults = 5;

export const vault = actor({
  init: () => ({ numbers: [] as number[], heard: {} as Heard }),
  receive: {
    put(state, delivery: Delivery<number>) {
      state.numbers.push(...takeOnce(state.heard, delivery));
    },
    numbers: (state) => state.numbers,
  },
  durable: { snapshotEvery: 20 },
});

interface ToVaults {
  readonly to: EntityKind<ProtocolOf<typeof vault>>;
  readonly upTo: number;
}

export const stored = defineFlow(import.meta.url, (q, { to, upTo }: ToVaults) => ({
  sent: q
    .read("numbers", numbers(0, upTo))
    .toEntities(to, (number) => `vault-${number % vaults}`, "put", { numbered: true, batches: 20 }),
}));

export default defineActors(import.meta.url, { vault });
