import { actor, defineActors, type ActorReference, type Deferred } from "qstream";

/** What is sent, drawn from its number: all of it is read where it comes. */
export interface Payment {
  readonly from: number;
  readonly cents: number;
  readonly word: string;
}

export const words = ["cash", "card", "cheque", "barter"] as const;

export function paymentOf(number: number): Payment {
  return { from: number, cents: (number * 7919) % 1000, word: words[number & 3] ?? "cash" };
}

/** What a receiver makes of payments, so that none is passed over. */
export function digestOf({ from, cents, word }: Payment): number {
  return (from & 1023) + cents + word.length;
}

interface Register {
  count: number;
  sum: number;
  until: number;
  waiting: Deferred<number> | undefined;
}

/** Takes payments, and says what they came to once all are there. */
export const register = actor({
  init: (): Register => ({ count: 0, sum: 0, until: 0, waiting: undefined }),
  receive: {
    take(state, payment: Payment) {
      state.sum += digestOf(payment);
      if (++state.count === state.until) state.waiting?.send(state.sum);
    },
    total(state, count: number, ctx): Deferred<number> {
      const total = ctx.deferred<number>();
      if (state.count === count) total.send(state.sum);
      state.until = count;
      state.waiting = total;
      return total;
    },
    clear(state) {
      state.count = 0;
      state.sum = 0;
    },
    echo: (_state, number: number) => number,
  },
});

type Payee = ActorReference<{ take: (payment: Payment) => void; echo: (number: number) => number }>;

const inTurn = 1000;

/** Sends payments, or asks with so many questions under way. */
export const payer = actor({
  init: (to: Payee) => ({ to }),
  receive: {
    pay({ to }, { first, last }: { readonly first: number; readonly last: number }, ctx) {
      const end = Math.min(last, first + inTurn);
      for (let number = first; number < end; number++) to.tell("take", paymentOf(number));
      if (end < last) ctx.self.tell("pay", { first: end, last });
    },
    async ask({ to }, { count, inFlight }: { readonly count: number; readonly inFlight: number }) {
      let asked = 0;
      let sum = 0;
      const one = async (): Promise<void> => {
        while (asked < count) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other, and as many beside it
          const answer = await to.ask("echo", ++asked);
          sum += answer;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, one));
      return sum;
    },
  },
});

export default defineActors(import.meta.url, { register, payer });
