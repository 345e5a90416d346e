import { actor, type ActorReference, type Deferred } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface JoinProtocol {
  result: (value: number) => void;
}

interface Piece {
  readonly number: number;
  readonly to: ActorReference<JoinProtocol>;
}

/** Lives for one piece of work. */
export const shortLived = actor({
  kind: "short-lived",
  init: (piece: Piece) => piece,
  receive: {
    work({ number, to }, _nothing: undefined, ctx) {
      to.tell("result", mixed(number, 0) & 0xff);
      ctx.stop();
    },
  },
});

interface Joining {
  left: number;
  sum: number;
  done: Deferred<number> | undefined;
}

/** Makes an actor for each piece of work, and adds up their results. */
export const joiner = actor({
  kind: "joiner",
  init: (): Joining => ({ left: 0, sum: 0, done: undefined }),
  receive: {
    fork(state, pieces: number, ctx) {
      const done = ctx.deferred<number>();
      state.left = pieces;
      state.done = done;
      for (let number = 0; number < pieces; number++) {
        ctx.spawn(shortLived, { number, to: ctx.self }).tell("work");
      }
      return done;
    },
    result(state, value: number) {
      state.sum += value;
      if (--state.left === 0) state.done?.send(state.sum);
    },
  },
});

/** Many actors that live for one message each. */
export const forkJoinCreate: Program<number, number> = {
  name: "fork-join-create",
  run: (system, pieces) => system.spawn(joiner).ask("fork", pieces, wholeRun),
  plain: (pieces) => {
    let sum = 0;
    for (let number = 0; number < pieces; number++) sum += mixed(number, 0) & 0xff;
    return sum;
  },
  small: 3000,
  large: 100_000,
};
