import { actor, type ActorContext, type ActorReference } from "qstream";

type Peers = readonly ActorReference<SorterProtocol>[];

export interface SorterProtocol {
  begin: (peers: Peers) => void;
  sample: (sample: { readonly from: number; readonly values: readonly number[] }) => void;
  bounds: (bounds: readonly number[]) => void;
  bucket: (bucket: { readonly from: number; readonly values: readonly number[] }) => void;
  received: (from: number) => void;
  again: () => void;
}

export interface SorterState {
  readonly id: number;
  readonly values: readonly number[];
  peers: Peers;
  /** In sorter 0, what the others have shown. */
  readonly samples: Map<number, readonly number[]>;
  bounds: readonly number[] | undefined;
  readonly buckets: Map<number, readonly number[]>;
  /** Who has what this one sent. */
  readonly acknowledged: Set<number>;
  sorted: readonly number[] | undefined;
}

const againMs = 50;
const oversampling = 4;

/**
 * Sorts what is spread over many (sample sort: Frazer and McKellar, 1970). Each shows a sample of what it has; the first one makes
 * bounds of them; each sends everybody what is between two bounds; who has it all sorts it. What gets lost is sent again.
 */
export const sorter = actor({
  kind: "sorter",
  init: ({ id, values }: { id: number; values: readonly number[] }): SorterState => ({
    id,
    values,
    peers: [],
    samples: new Map(),
    bounds: undefined,
    buckets: new Map(),
    acknowledged: new Set(),
    sorted: undefined,
  }),
  receive: {
    begin(state, peers: Peers, ctx) {
      state.peers = peers;
      ctx.every(againMs, "again");
      sendSample(state, ctx);
    },

    sample(state, { from, values }: { readonly from: number; readonly values: readonly number[] }) {
      state.samples.set(from, values);
      if (state.samples.size < state.peers.length) return;
      state.bounds ??= boundsOf([...state.samples.values()].flat(), state.peers.length);
      for (const peer of state.peers) peer.tell("bounds", state.bounds);
    },

    bounds(state, bounds: readonly number[]) {
      if (state.bounds === undefined || state.id === 0) {
        state.bounds = bounds;
        sendBuckets(state);
      }
    },

    bucket(state, { from, values }: { readonly from: number; readonly values: readonly number[] }) {
      state.buckets.set(from, values);
      state.peers[from]?.tell("received", state.id);
      if (state.sorted !== undefined || state.buckets.size < state.peers.length) return;
      state.sorted = [...state.buckets.values()].flat().sort((left, right) => left - right);
    },

    received(state, from: number) {
      state.acknowledged.add(from);
    },

    again(state, _: undefined, ctx) {
      if (state.bounds === undefined) sendSample(state, ctx);
      else sendBuckets(state);
    },
  },
});

function sendSample({ id, values, peers }: SorterState, ctx: ActorContext): void {
  const sample: number[] = [];
  for (let drawn = 0; drawn < oversampling * peers.length && values.length > 0; drawn++) {
    sample.push(values[Math.floor(ctx.random() * values.length)] ?? 0);
  }
  peers[0]?.tell("sample", { from: id, values: sample });
}

/** One bound less than there are sorters, at equal steps through the sample. */
function boundsOf(sample: readonly number[], sorters: number): readonly number[] {
  const sorted = [...sample].sort((left, right) => left - right);
  return Array.from({ length: sorters - 1 }, (_, at) => sorted[Math.floor(((at + 1) * sorted.length) / sorters)] ?? 0);
}

function sendBuckets({ id, values, peers, bounds = [], acknowledged }: SorterState): void {
  const buckets = peers.map((): number[] => []);
  for (const value of values) buckets[bounds.filter((bound) => bound <= value).length]?.push(value);
  for (const [to, peer] of peers.entries()) {
    if (!acknowledged.has(to)) peer.tell("bucket", { from: id, values: buckets[to] ?? [] });
  }
}
