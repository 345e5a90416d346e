// Actors that flows of specs send to and read from, as a module that slots load.
import { setTimeout as wait } from "node:timers/promises";
import { actor, defineActors, takeOnce, type Deferred, type Delivery, type Heard } from "../../../../lib/index.ts";

export interface Payment {
  readonly owner: string;
  readonly number: number;
}

export interface LedgerOptions {
  /** Milliseconds that it takes to record a payment. */
  readonly pauseMs?: number;
  /** How many deliveries it fails at, after it has taken them. */
  readonly stumbles?: number;
}

/** Keeps what it was told, and how many wait for it at once. */
export const ledger = actor({
  init: ({ pauseMs = 0, stumbles = 0 }: LedgerOptions) => ({
    pauseMs,
    stumbles,
    numbers: [] as number[],
    heard: {} as Heard,
    waiting: 0,
    most: 0,
    largest: 0,
    repeated: 0,
  }),
  receive: {
    async record(state, { number }: Payment) {
      state.numbers.push(number);
      if (state.pauseMs > 0) await wait(state.pauseMs);
    },
    recordAll(state, payments: readonly Payment[]) {
      state.largest = Math.max(state.largest, payments.length);
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
    /** Takes each object once, and stumbles now and then behind it. */
    async deliver(state, delivery: Delivery<Payment>) {
      const fresh = takeOnce(state.heard, delivery);
      for (const { number } of fresh) state.numbers.push(number);
      state.repeated += delivery.objects.length - fresh.length;
      if (state.pauseMs > 0) await wait(state.pauseMs);
      if (state.stumbles-- > 0) throw new Error("stumbled behind a delivery");
    },
    refuse(_, { number }: Payment, ctx) {
      if (number === 7) ctx.refuse(new Error("no sevens"));
    },
    end(_, _payment: Payment, ctx) {
      ctx.stop();
    },
    never: (_, _payment: Payment, ctx) => ctx.deferred<void>(),
    repeated: ({ repeated }) => repeated,
    numbers: ({ numbers }) => numbers,
    most: ({ most }) => most,
    largest: ({ largest }) => largest,
  },
  supervise: [{ do: "resume" }],
});

/** One for each owner. */
export const account = actor({
  init: (owner: string) => ({ owner, numbers: [] as number[], heard: {} as Heard }),
  receive: {
    deliver(state, delivery: Delivery<Payment>) {
      for (const { number } of takeOnce(state.heard, delivery)) state.numbers.push(number);
    },
    pay: ({ numbers }, { number }: Payment) => void numbers.push(number),
    payAll: ({ numbers }, payments: readonly Payment[]) => void numbers.push(...payments.map(({ number }) => number)),
    numbers: ({ numbers }) => numbers,
  },
});

/** Gives numbers when it is asked. */
export const source = actor({
  init: (upTo: number) => ({ upTo, next: 0, asked: 0 }),
  supervise: [{ do: "resume" }],
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
    /** Two answers, and then none, ever. */
    forever(state, _: number, ctx): Deferred<number[]> | number[] {
      return state.asked++ < 2 ? [state.next++] : ctx.deferred<number[]>();
    },
    given: ({ next }) => next,
    wrong: () => "no array",
    end(_, _most: number, ctx): number[] {
      ctx.stop();
      return [1];
    },
    throws(): number[] {
      throw new Error("out of paper");
    },
  },
});

/** Fails at whatever it is told, until it may no more. */
export const broken = actor({
  init: () => ({}),
  receive: {
    record(_state, _payment: Payment): void {
      throw new TypeError("the ledger has no such page");
    },
    get: () => 0,
  },
});

export default defineActors(import.meta.url, { ledger, account, source, broken });
