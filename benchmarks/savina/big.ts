import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface BigSize {
  readonly actors: number;
  /** Pings that each sends. */
  readonly pings: number;
}

interface PeerProtocol {
  begin: (game: Game) => void;
  ping: () => void;
  pong: () => void;
}

interface SinkProtocol {
  finished: (pongs: number) => void;
}

interface Game {
  readonly peers: readonly ActorReference<PeerProtocol>[];
  readonly pings: number;
  readonly sink: ActorReference<SinkProtocol>;
}

interface Peer {
  game: Game | undefined;
  pongs: number;
}

/** Pings others, whomever the draw says, one after the other. */
export const peer = actor({
  kind: "peer",
  init: (): Peer => ({ game: undefined, pongs: 0 }),
  receive: {
    begin(state, game: Game, ctx) {
      state.game = game;
      draw(game.peers, ctx.random())?.tell("ping");
    },
    ping(_state, _nothing: undefined, ctx) {
      ctx.sender?.tell("pong");
    },
    pong(state, _nothing: undefined, ctx) {
      const { game } = state;
      if (game === undefined) return;
      state.pongs++;
      if (state.pongs === game.pings) game.sink.tell("finished", state.pongs);
      else draw(game.peers, ctx.random())?.tell("ping");
    },
  },
});

interface Sink {
  left: number;
  pongs: number;
  done: Deferred<number> | undefined;
}

/** Begins the game, and waits for all. */
export const sink = actor({
  kind: "sink",
  init: (): Sink => ({ left: 0, pongs: 0, done: undefined }),
  receive: {
    play(state, { peers, pings }: Omit<Game, "sink">, ctx) {
      const done = ctx.deferred<number>();
      state.left = peers.length;
      state.done = done;
      for (const each of peers) each.tell("begin", { peers, pings, sink: ctx.self });
      return done;
    },
    finished(state, pongs: number) {
      state.pongs += pongs;
      if (--state.left === 0) state.done?.send(state.pongs);
    },
  },
});

/** Many actors that all send to each other. */
export const big: Program<BigSize, number> = {
  name: "big",
  run: (system, { actors, pings }) => {
    const peers = Array.from({ length: actors }, () => system.spawn(peer));
    return system.spawn(sink).ask("play", { peers, pings }, wholeRun);
  },
  plain: ({ actors, pings }) => actors * pings,
  small: { actors: 20, pings: 100 },
  large: { actors: 120, pings: 4000 },
};

function draw<Each>(all: readonly Each[], random: number): Each | undefined {
  return all[Math.floor(random * all.length)];
}
