import { actor, type ActorDefinition, type ActorReference, type Deferred } from "qstream";
import { wholeRun, type Program } from "./program.ts";

interface Primes {
  readonly count: number;
  readonly last: number;
}

interface FilterProtocol {
  candidate: (number: number) => void;
  end: (end: End) => void;
}

interface EndProtocol {
  ended: (primes: Primes) => void;
}

interface End {
  /** Primes of the filters before. */
  readonly count: number;
  readonly last: number;
  readonly to: ActorReference<EndProtocol>;
}

// Primes of one actor.
const room = 16;

interface Filter {
  readonly primes: number[];
  next: ActorReference<FilterProtocol> | undefined;
}

/** Lets through what none of its primes divides. The first ones that it would let through are its primes. */
export const primeFilter: ActorDefinition<FilterProtocol, void> = actor({
  kind: "prime-filter",
  init: (): Filter => ({ primes: [], next: undefined }),
  receive: {
    candidate(state, number: number, ctx) {
      if (state.primes.some((prime) => number % prime === 0)) return;
      if (state.primes.length < room) state.primes.push(number);
      else (state.next ??= ctx.spawn(primeFilter)).tell("candidate", number);
    },
    end({ primes, next }, { count, last, to }: End) {
      const all = { count: count + primes.length, last: primes.at(-1) ?? last };
      if (next === undefined) to.tell("ended", all);
      else next.tell("end", { ...all, to });
    },
  },
});

interface Search {
  end: number;
  readonly first: ActorReference<FilterProtocol>;
  done: Deferred<Primes> | undefined;
}

// What one handler sends, so that the filters have their turns in between.
const inTurn = 1000;

/** Sends all numbers below an end to the first filter. */
export const numberSource = actor({
  kind: "number-source",
  init: (first: ActorReference<FilterProtocol>): Search => ({ end: 0, first, done: undefined }),
  receive: {
    search(state, end: number, ctx) {
      const done = ctx.deferred<Primes>();
      state.end = end;
      state.done = done;
      ctx.self.tell("more", 2);
      return done;
    },
    more({ end, first }, from: number, ctx) {
      const to = Math.min(end, from + inTurn);
      for (let number = from; number < to; number++) first.tell("candidate", number);
      if (to < end) ctx.self.tell("more", to);
      else first.tell("end", { count: 0, last: 0, to: ctx.self });
    },
    ended({ done }, primes: Primes) {
      done?.send(primes);
    },
  },
});

/** Primes by a chain of filters, which grows as they are found. */
export const sieve: Program<number, Primes> = {
  name: "sieve",
  run: (system, end) => system.spawn(numberSource, system.spawn(primeFilter)).ask("search", end, wholeRun),
  plain: (end) => {
    const primes: number[] = [];
    for (let number = 2; number < end; number++) {
      if (!primes.some((prime) => number % prime === 0)) primes.push(number);
    }
    return { count: primes.length, last: primes.at(-1) ?? 0 };
  },
  small: 2000,
  large: 60_000,
};
