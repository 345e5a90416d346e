import { actor, type ActorReference } from "qstream";

export interface BranchProtocol {
  peers: (peers: ReadonlyMap<string, ActorReference<BranchProtocol>>) => void;
  /** Sends some of what it has to another branch, now and then. */
  spend: () => void;
  transfer: (transfer: { readonly from: string; readonly amount: number }) => void;
  /** Begins a snapshot of all branches and of what is on its way. */
  record: () => void;
  marker: (marker: { readonly from: string }) => void;
}

export interface BranchState {
  readonly id: string;
  peers: ReadonlyMap<string, ActorReference<BranchProtocol>>;
  balance: number;
  /** Its part of the snapshot: its balance, and what was on its way to it from each other branch. */
  recorded:
    | { readonly balance: number; readonly onTheWay: Map<string, number>; readonly open: Set<string> }
    | undefined;
}

/**
 * A snapshot of a whole system that goes on meanwhile (Chandy and Lamport, 1985). A node records its state and sends a marker on
 * all its channels; who gets a first marker does the same; what comes on a channel after that and before its marker was on its
 * way. Channels must keep their order.
 */
export const branch = actor({
  kind: "branch",
  init: ({ id, balance }: { id: string; balance: number }): BranchState => ({
    id,
    peers: new Map(),
    balance,
    recorded: undefined,
  }),
  receive: {
    peers(state, peers: ReadonlyMap<string, ActorReference<BranchProtocol>>, ctx) {
      state.peers = peers;
      ctx.every(7 + Math.floor(10 * ctx.random()), "spend");
    },

    spend(state, _: undefined, ctx) {
      const others = [...state.peers.keys()];
      const to = others[Math.floor(ctx.random() * others.length)] ?? "";
      const amount = Math.floor(ctx.random() * (state.balance + 1));
      state.balance -= amount;
      state.peers.get(to)?.tell("transfer", { from: state.id, amount });
    },

    transfer(state, { from, amount }: { readonly from: string; readonly amount: number }) {
      state.balance += amount;
      const { recorded } = state;
      if (recorded?.open.has(from) !== true) return;
      recorded.onTheWay.set(from, (recorded.onTheWay.get(from) ?? 0) + amount);
    },

    record: (state) => begin(state),

    marker(state, { from }: { readonly from: string }) {
      begin(state);
      state.recorded?.open.delete(from);
    },
  },
});

function begin(state: BranchState): void {
  if (state.recorded !== undefined) return;
  state.recorded = { balance: state.balance, onTheWay: new Map(), open: new Set(state.peers.keys()) };
  for (const peer of state.peers.values()) peer.tell("marker", { from: state.id });
}

/** What a snapshot has in it, of all branches; undefined while a part is missing. */
export function totalOf(states: readonly BranchState[]): number | undefined {
  let total = 0;
  for (const { recorded } of states) {
    if (recorded === undefined || recorded.open.size > 0) return undefined;
    total += recorded.balance;
    for (const amount of recorded.onTheWay.values()) total += amount;
  }
  return total;
}
