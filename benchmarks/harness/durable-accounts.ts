import { actor } from "qstream";

export const accounts = 1000;
/** Messages of a burst to one account, the last of which is answered. */
export const burst = 16;

export interface Deposit {
  /** 1 for the first one to this account, without gaps. */
  readonly number: number;
  readonly amount: number;
}

/** Notes whatever isn't as if all that was answered had been done, once and in order. */
export const account = actor({
  kind: "account",
  durable: true,
  init: (_key: string) => ({ count: 0, sum: 0 }),
  receive: {
    deposit(state, { number, amount }: Deposit) {
      if (number !== state.count + 1) throw new Error(`deposit ${number} came after ${state.count}`);
      state.count = number;
      state.sum += amount;
      return number;
    },
    get: (state) => state,
  },
});
