import { actor, type ActorContext, type ActorReference } from "qstream";
import * as types from "./types.ts";

/** Everything that replicas hold. */
export interface Replicated {
  readonly counter: types.Counter;
  readonly set: types.AddWinsSet;
  readonly text: types.Sequence;
}

export interface ReplicaProtocol {
  peers: (peers: readonly ActorReference<ReplicaProtocol>[]) => void;
  /** Changes something, as its generator says. */
  change: () => void;
  /** Sends all that it knows to another replica. */
  gossip: () => void;
  merge: (state: Replicated) => void;
}

export interface ReplicaState {
  readonly id: string;
  peers: readonly ActorReference<ReplicaProtocol>[];
  replicated: Replicated;
  changes: number;
}

const gossipMs = 20;

/** A replica: changes what it has at once, and tells another one of it now and then, so that all come to the same. */
export const replica = actor({
  kind: "replica",
  init: (id: string): ReplicaState => ({
    id,
    peers: [],
    changes: 0,
    replicated: {
      counter: types.emptyCounter,
      set: types.emptySet,
      text: types.emptySequence,
    },
  }),
  receive: {
    peers(state, peers: readonly ActorReference<ReplicaProtocol>[], ctx) {
      state.peers = peers;
      ctx.every(gossipMs, "gossip");
    },

    change(state, _: undefined, ctx) {
      state.replicated = changed(state, ctx);
      state.changes++;
    },

    gossip(state, _: undefined, ctx) {
      state.peers[Math.floor(ctx.random() * state.peers.length)]?.tell("merge", state.replicated);
    },

    merge(state, other: Replicated) {
      state.replicated = merged(state.replicated, other);
    },
  },
});

export function merged(left: Replicated, right: Replicated): Replicated {
  return {
    counter: types.mergeCounters(left.counter, right.counter),
    set: types.mergeSets(left.set, right.set),
    text: types.mergeSequences(left.text, right.text),
  };
}

function changed({ id, replicated, changes }: ReplicaState, ctx: ActorContext): Replicated {
  const { counter, set, text } = replicated;
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(ctx.random() * list.length)];
  switch (Math.floor(ctx.random() * 5)) {
    case 0:
      return { ...replicated, counter: types.add(counter, id, Math.floor(ctx.random() * 11) - 5) };
    case 1:
      return { ...replicated, set: types.include(set, pick(["a", "b", "c"]) ?? "a", `${changes}@${id}`) };
    case 2:
      return { ...replicated, set: types.exclude(set, pick(["a", "b", "c"]) ?? "a") };
    case 3:
      return { ...replicated, text: types.erase(text, pick(types.orderOf(text)) ?? "") };
    default: {
      const letter = pick("abcdefgh".split("")) ?? "a";
      return { ...replicated, text: types.insert(text, pick(["", ...types.orderOf(text)]) ?? "", letter, id) };
    }
  }
}
