import { actor, type ActorContext, type ActorReference } from "qstream";

export type Status = "alive" | "suspect" | "dead";

/** What a node says of another: the higher incarnation counts; of one incarnation, the worse. */
export interface Rumor {
  readonly id: string;
  readonly status: Status;
  readonly incarnation: number;
}

export type Peers = ReadonlyMap<string, ActorReference<MemberProtocol>>;

export interface Ping {
  readonly from: string;
  readonly round: number;
  readonly rumors: readonly Rumor[];
}

export interface MemberProtocol {
  peers: (peers: Peers) => void;
  probe: () => void;
  ping: (ping: Ping) => void;
  ack: (ack: Ping) => void;
  /** Asks another node to ping one that doesn't answer. */
  pingFor: (request: Ping & { readonly target: string }) => void;
  overdue: (probe: { readonly target: string; readonly round: number }) => void;
  silent: (probe: { readonly target: string; readonly round: number }) => void;
  expired: (suspicion: { readonly id: string; readonly incarnation: number }) => void;
}

export interface MemberState {
  readonly id: string;
  peers: Peers;
  readonly known: Map<string, Rumor>;
  incarnation: number;
  round: number;
  /** The probe that waits for its answer. */
  waiting: { readonly target: string; readonly round: number } | undefined;
  /** Who wants to know of an answer to a ping that was made for it. */
  readonly asked: Map<number, { readonly from: string; readonly round: number }>;
  /** How often each rumor is still passed on. */
  readonly spread: Map<string, number>;
}

const probeMs = 50;
const answerMs = 15;
const suspicionMs = 1000;
const helpers = 2;
const rumorsAtOnce = 6;

/**
 * Who is there, by gossip (SWIM: Das, Gupta and Motivala, 2002). A node pings another one in each round; if that doesn't answer,
 * others ping it for this one; if it doesn't answer them either, it is suspected, and dead if it doesn't deny that in time. What a
 * node hears it passes on with pings and answers.
 */
export const member = actor({
  kind: "member",
  init: (id: string): MemberState => ({
    id,
    peers: new Map(),
    known: new Map(),
    incarnation: 0,
    round: 0,
    waiting: undefined,
    asked: new Map(),
    spread: new Map(),
  }),
  receive: {
    peers(state, peers: Peers, ctx) {
      state.peers = peers;
      for (const id of peers.keys()) hear(state, { id, status: "alive", incarnation: 0 }, ctx);
      ctx.after(probeMs * ctx.random(), "probe");
    },

    probe(state, _: undefined, ctx) {
      ctx.after(probeMs, "probe");
      const others = [...state.known.values()].filter(({ status, id }) => status !== "dead" && id !== state.id);
      const target = others[Math.floor(ctx.random() * others.length)]?.id;
      if (target === undefined) return;
      const probe = { target, round: ++state.round };
      state.waiting = probe;
      state.peers.get(target)?.tell("ping", { from: state.id, round: probe.round, rumors: rumorsFor(target, state) });
      ctx.after(answerMs, "overdue", probe);
      ctx.after(3 * answerMs, "silent", probe);
    },

    ping(state, { from, round, rumors }: Ping, ctx) {
      for (const rumor of rumors) hear(state, rumor, ctx);
      state.peers.get(from)?.tell("ack", { from: state.id, round, rumors: rumorsOf(state) });
    },

    ack(state, { from, round, rumors }: Ping, ctx) {
      for (const rumor of rumors) hear(state, rumor, ctx);
      if (state.waiting?.round === round) state.waiting = undefined;
      const asked = state.asked.get(round);
      state.asked.delete(round);
      if (asked !== undefined)
        state.peers.get(asked.from)?.tell("ack", { from, round: asked.round, rumors: rumorsOf(state) });
    },

    pingFor(state, { from, round, rumors, target }: Ping & { readonly target: string }, ctx) {
      for (const rumor of rumors) hear(state, rumor, ctx);
      const own = ++state.round;
      state.asked.set(own, { from, round });
      if (state.asked.size > 16) state.asked.delete(Math.min(...state.asked.keys()));
      state.peers.get(target)?.tell("ping", { from: state.id, round: own, rumors: rumorsOf(state) });
    },

    overdue(state, { target, round }: { readonly target: string; readonly round: number }, ctx) {
      if (state.waiting?.round !== round) return;
      const others = [...state.known.values()].filter(
        ({ id, status }) => status === "alive" && id !== state.id && id !== target,
      );
      for (let helper = 0; helper < helpers && others.length > 0; helper++) {
        const [chosen] = others.splice(Math.floor(ctx.random() * others.length), 1);
        const request = { from: state.id, round, rumors: rumorsOf(state), target };
        state.peers.get(chosen?.id ?? "")?.tell("pingFor", request);
      }
    },

    silent(state, { target, round }: { readonly target: string; readonly round: number }, ctx) {
      if (state.waiting?.round !== round) return;
      state.waiting = undefined;
      const incarnation = state.known.get(target)?.incarnation ?? 0;
      hear(state, { id: target, status: "suspect", incarnation }, ctx);
    },

    expired(state, { id, incarnation }: { readonly id: string; readonly incarnation: number }, ctx) {
      const known = state.known.get(id);
      if (known?.status === "suspect" && known.incarnation === incarnation)
        hear(state, { id, status: "dead", incarnation }, ctx);
    },
  },
});

const worse = { alive: 0, suspect: 1, dead: 2 } as const;

/** Takes a rumor in that says something new; one that says ill of this node is denied. */
function hear(state: MemberState, rumor: Rumor, ctx: ActorContext): void {
  const { id, status, incarnation } = rumor;
  if (id === state.id) {
    if (status !== "alive" && incarnation >= state.incarnation) {
      state.incarnation = incarnation + 1;
      tell(state, { id, status: "alive", incarnation: state.incarnation });
    }
    return;
  }
  const known = state.known.get(id);
  const isNews =
    known === undefined ||
    incarnation > known.incarnation ||
    (incarnation === known.incarnation && worse[status] > worse[known.status]);
  if (!isNews) return;
  tell(state, rumor);
  if (status === "suspect") ctx.after(suspicionMs, "expired", { id, incarnation });
}

function tell(state: MemberState, rumor: Rumor): void {
  state.known.set(rumor.id, rumor);
  state.spread.set(rumor.id, 3 * Math.ceil(Math.log2(state.peers.size + 1)));
}

/** Who is suspected is told so with each ping, whatever else is news (Lifeguard: Dadgar and others, 2018). */
function rumorsFor(id: string, state: MemberState): readonly Rumor[] {
  const known = state.known.get(id);
  return known?.status === "suspect" ? [known, ...rumorsOf(state)] : rumorsOf(state);
}

/** What is passed on with the next message: that it is there itself, and what has been passed on least. */
function rumorsOf(state: MemberState): readonly Rumor[] {
  const fresh = [...state.spread].sort((left, right) => right[1] - left[1]).slice(0, rumorsAtOnce);
  // Its own part is always news to who suspects it.
  const rumors: Rumor[] = [{ id: state.id, status: "alive", incarnation: state.incarnation }];
  for (const [id, left] of fresh) {
    const rumor = state.known.get(id);
    if (rumor !== undefined) rumors.push(rumor);
    if (left > 1) state.spread.set(id, left - 1);
    else state.spread.delete(id);
  }
  return rumors;
}
