import { actor, type ActorContext, type ActorReference } from "qstream";

export interface Token {
  /** Messages sent less those received, of the nodes that it has passed. */
  readonly count: number;
  readonly color: "white" | "black";
}

export interface WorkerProtocol {
  link: (ring: {
    readonly next: ActorReference<WorkerProtocol>;
    readonly all: readonly ActorReference<WorkerProtocol>[];
  }) => void;
  /** Work that makes some more: so many further pieces. */
  work: (depth: number) => void;
  finish: () => void;
  token: (token: Token) => void;
}

export interface WorkerState {
  readonly id: number;
  next: ActorReference<WorkerProtocol> | undefined;
  all: readonly ActorReference<WorkerProtocol>[];
  /** Pieces of work that it is at. */
  busy: number;
  /** Messages sent less those received. */
  count: number;
  color: "white" | "black";
  token: Token | undefined;
  /** Set in node 0 when it knows that all are idle, and nothing is on its way. */
  isDone: boolean;
}

/**
 * Detects that work which spreads by messages has ended everywhere (Dijkstra's EWD 998, after Safra, 1987). A token goes round
 * and adds up how many messages each node has sent and received; who has received since is black, and makes the token so.
 * Node 0 knows when it is white, the token comes back white, and the sum is zero.
 */
export const worker = actor({
  kind: "worker",
  init: (id: number): WorkerState => ({
    id,
    next: undefined,
    all: [],
    busy: 0,
    count: 0,
    color: "white",
    isDone: false,
    token:
      id === 0
        ? {
            count: 0,
            color: "black",
          }
        : undefined,
  }),
  receive: {
    link(
      state,
      {
        next,
        all,
      }: { readonly next: ActorReference<WorkerProtocol>; readonly all: readonly ActorReference<WorkerProtocol>[] },
    ) {
      state.next = next;
      state.all = all;
      passToken(state);
    },

    work(state, depth: number, ctx) {
      // Work that comes from outside, and not from a node, is no message of theirs.
      if (ctx.sender !== undefined) {
        state.count--;
        state.color = "black";
      }
      state.busy++;
      spread(state, depth, ctx);
      ctx.after(1 + 20 * ctx.random(), "finish");
    },

    finish(state) {
      state.busy--;
      passToken(state);
    },

    token(state, token: Token) {
      state.token = token;
      passToken(state);
    },
  },
});

function spread(state: WorkerState, depth: number, ctx: ActorContext): void {
  for (let piece = 0; piece < depth; piece++) {
    const to = state.all[Math.floor(ctx.random() * state.all.length)];
    if (to === undefined || to.equals(ctx.self)) continue;
    state.count++;
    to.tell("work", depth - 1);
  }
}

/** An idle node that has the token passes it on; node 0 looks at it first. */
function passToken(state: WorkerState): void {
  const { token, next, id } = state;
  if (token === undefined || next === undefined || state.busy > 0 || state.isDone) return;
  state.token = undefined;
  if (id === 0) {
    const isWhite = token.color === "white" && state.color === "white";
    if (isWhite && token.count + state.count === 0) state.isDone = true;
    else next.tell("token", { count: 0, color: "white" });
  } else {
    const color = state.color === "black" ? "black" : token.color;
    next.tell("token", { count: token.count + state.count, color });
  }
  state.color = "white";
}
