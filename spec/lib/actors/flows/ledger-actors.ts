// Actors that flows of specs send to and read from, as a module that slots load.
import { setTimeout as wait } from "node:timers/promises";
import { actor, defineActors } from "../../../../lib/index.ts";

export interface Payment {
  readonly owner: string;
  readonly number: number;
}

/** Keeps what it was told, and how many wait for it at once. */
export const ledger = actor({
  init: (pauseMs: number) => ({ pauseMs, numbers: [] as number[], waiting: 0, most: 0 }),
  receive: {
    async record(state, { number }: Payment) {
      state.numbers.push(number);
      if (state.pauseMs > 0) await wait(state.pauseMs);
    },
    recordAll(state, payments: readonly Payment[]) {
      for (const { number } of payments) state.numbers.push(number);
    },
    /** Answers later: what waits meanwhile is what is in flight. */
    gather(state, { number }: Payment, ctx) {
      state.numbers.push(number);
      state.most = Math.max(state.most, ++state.waiting);
      const answer = ctx.deferred<void>();
      setTimeout(() => {
        state.waiting--;
        answer.send();
      }, 2);
      return answer;
    },
    refuse(_, { number }: Payment, ctx) {
      if (number === 7) ctx.refuse(new Error("no sevens"));
    },
    end(_, _payment: Payment, ctx) {
      ctx.stop();
    },
    never: (_, _payment: Payment, ctx) => ctx.deferred<void>(),
    numbers: ({ numbers }) => numbers,
    most: ({ most }) => most,
  },
  supervise: [{ do: "resume" }],
});

/** One for each owner. */
export const account = actor({
  init: (owner: string) => ({ owner, numbers: [] as number[] }),
  receive: {
    pay: ({ numbers }, { number }: Payment) => void numbers.push(number),
    payAll: ({ numbers }, payments: readonly Payment[]) => void numbers.push(...payments.map(({ number }) => number)),
    numbers: ({ numbers }) => numbers,
  },
});

/** Gives numbers when it is asked. */
export const source = actor({
  init: (upTo: number) => ({ upTo, next: 0, asked: 0 }),
  receive: {
    next(state, most: number): number[] | undefined {
      state.asked++;
      // There are none now and then.
      if (state.asked % 5 === 2) return [];
      const count = Math.min(most, state.upTo - state.next);
      if (count === 0) return undefined;
      const first = state.next;
      state.next += count;
      return Array.from({ length: count }, (_, index) => first + index);
    },
    given: ({ next }) => next,
    wrong: () => "no array",
  },
});

export default defineActors(import.meta.url, { ledger, account, source });
