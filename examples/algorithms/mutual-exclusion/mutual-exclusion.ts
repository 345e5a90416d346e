import { actor, type ActorContext, type ActorReference } from "qstream";

type Peers = readonly ActorReference<LockProtocol>[];

export interface LockProtocol {
  peers: (peers: Peers) => void;
  /** Wants the lock; holds it for a while when it has it. */
  want: () => void;
  request: (request: {
    readonly time: number;
    readonly id: number;
    readonly from: ActorReference<LockProtocol>;
  }) => void;
  reply: (reply: { readonly to: number }) => void;
  leave: () => void;
}

export interface LockState {
  readonly id: number;
  peers: Peers;
  /** Lamport's clock: later than anything that this node has heard of. */
  clock: number;
  phase: "idle" | "wanting" | "holding";
  /** When it asked, by its clock; equal times are decided by number. */
  since: number;
  granted: number;
  /** Who is answered when this node leaves. */
  deferred: { readonly from: ActorReference<LockProtocol>; readonly time: number }[];
  /** How often it held the lock. */
  entered: number;
}

/**
 * Mutual exclusion without a server (Ricart and Agrawala, 1981). Who wants the lock asks all others, and has it when all have
 * answered; who holds it, or asked before, answers later. 2(N - 1) messages for each entry.
 */
export const lockNode = actor({
  kind: "lock-node",
  init: (id: number): LockState => ({
    id,
    peers: [],
    clock: 0,
    phase: "idle",
    since: 0,
    granted: 0,
    deferred: [],
    entered: 0,
  }),
  receive: {
    peers(state, peers: Peers) {
      state.peers = peers;
    },

    want(state, _: undefined, ctx) {
      if (state.phase !== "idle") return;
      state.phase = "wanting";
      state.since = ++state.clock;
      state.granted = 0;
      for (const peer of state.peers) peer.tell("request", { time: state.since, id: state.id, from: ctx.self });
      enterIfGranted(state, ctx);
    },

    request(
      state,
      { time, id, from }: { readonly time: number; readonly id: number; readonly from: ActorReference<LockProtocol> },
    ) {
      state.clock = Math.max(state.clock, time) + 1;
      const isFirst = state.since < time || (state.since === time && state.id < id);
      if (state.phase === "holding" || (state.phase === "wanting" && isFirst)) state.deferred.push({ from, time });
      else from.tell("reply", { to: time });
    },

    reply(state, { to }: { readonly to: number }, ctx) {
      if (state.phase !== "wanting" || to !== state.since) return;
      state.granted++;
      enterIfGranted(state, ctx);
    },

    leave(state) {
      state.phase = "idle";
      for (const { from, time } of state.deferred.splice(0)) from.tell("reply", { to: time });
    },
  },
});

function enterIfGranted(state: LockState, ctx: ActorContext): void {
  if (state.granted < state.peers.length) return;
  state.phase = "holding";
  state.entered++;
  ctx.after(5 + 10 * ctx.random(), "leave");
}
