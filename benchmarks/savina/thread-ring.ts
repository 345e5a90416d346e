import { actor, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface RingSize {
  readonly actors: number;
  readonly hops: number;
}

interface LinkProtocol {
  connect: (next: ActorReference<LinkProtocol>) => void;
  start: (hops: number) => number;
  token: (token: Token) => void;
  ended: (number: number) => void;
}

interface Token {
  readonly left: number;
  readonly first: ActorReference<LinkProtocol>;
}

interface Link {
  readonly number: number;
  next: ActorReference<LinkProtocol> | undefined;
  ended: Deferred<number> | undefined;
}

/** Hands the token on, until it has made its hops. */
export const link = actor({
  kind: "link",
  init: (number: number): Link => ({ number, next: undefined, ended: undefined }),
  receive: {
    connect(state, next: ActorReference<LinkProtocol>) {
      state.next = next;
    },
    start(state, hops: number, ctx) {
      const ended = ctx.deferred<number>();
      state.ended = ended;
      ctx.self.tell("token", { left: hops, first: ctx.self } satisfies Token);
      return ended;
    },
    token({ number, next }, { left, first }: Token) {
      if (left === 0) first.tell("ended", number);
      else next?.tell("token", { left: left - 1, first });
    },
    ended(state, number: number) {
      state.ended?.send(number);
    },
  },
});

/** A ring of actors and one token in it; gives the number of the actor at which it ends. */
export const threadRing: Program<RingSize, number> = {
  name: "thread-ring",
  run: async (system, { actors, hops }) => {
    const first = system.spawn(link, 0);
    let last = first;
    for (let number = 1; number < actors; number++) {
      const next = system.spawn(link, number);
      last.tell("connect", next);
      last = next;
    }
    last.tell("connect", first);
    return first.ask("start", hops, wholeRun);
  },
  plain: ({ actors, hops }) => hops % actors,
  small: { actors: 20, hops: 2015 },
  large: { actors: 100, hops: 1_000_000 },
};
