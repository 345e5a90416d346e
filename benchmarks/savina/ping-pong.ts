import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface PlayerProtocol {
  ball: () => void;
}

interface Match {
  readonly other: ActorReference<PlayerProtocol>;
  readonly exchanges: number;
}

interface Server {
  left: number;
  returned: number;
  over: Deferred<number> | undefined;
}

/** Serves, and counts what comes back. */
export const server = actor({
  kind: "server",
  init: (): Server => ({ left: 0, returned: 0, over: undefined }),
  receive: {
    play(state, { other, exchanges }: Match, ctx) {
      const over = ctx.deferred<number>();
      state.left = exchanges - 1;
      state.over = over;
      other.tell("ball");
      return over;
    },
    ball(state, _nothing: undefined, ctx) {
      state.returned++;
      if (state.left-- > 0) ctx.sender?.tell("ball");
      else state.over?.send(state.returned);
    },
  },
});

/** Returns the ball to whoever it is from. */
export const returner = actor({
  kind: "returner",
  init: () => undefined,
  receive: {
    ball(_state, _nothing: undefined, ctx) {
      ctx.sender?.tell("ball");
    },
  },
});

/** Two actors and one message between them. */
export const pingPong: Program<number, number> = {
  name: "ping-pong",
  run: (system, exchanges) => {
    const other = system.spawn(returner);
    return system.spawn(server).ask("play", { other, exchanges }, wholeRun);
  },
  plain: (exchanges) => exchanges,
  small: 2000,
  large: 500_000,
};
