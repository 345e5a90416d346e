import { actor, type ActorReference } from "qstream";
import { mixed, wholeRun, type Program } from "./program.ts";

interface BankSize {
  readonly accounts: number;
  readonly transfers: number;
}

interface AccountProtocol {
  transfer: (transfer: Transfer) => void;
  credit: (amount: number) => void;
  balance: () => number;
}

interface Transfer {
  readonly amount: number;
  readonly to: ActorReference<AccountProtocol>;
}

const firstBalance = 1_000_000;

/** Takes no other message while the other account hasn't said that the money is there. */
export const account = actor({
  kind: "account",
  init: () => ({ balance: firstBalance }),
  receive: {
    async transfer(state, { amount, to }: Transfer) {
      state.balance -= amount;
      await to.ask("credit", amount, wholeRun);
    },
    credit(state, amount: number) {
      state.balance += amount;
    },
    balance: (state) => state.balance,
  },
});

interface Day {
  readonly accounts: readonly ActorReference<AccountProtocol>[];
  readonly transfers: number;
}

// Transfers that a teller has begun and that aren't done.
const inFlight = 64;

/** Orders transfers, and answers with all balances when they are done. */
export const teller = actor({
  kind: "teller",
  init: () => undefined,
  receive: {
    async day(_state, { accounts, transfers }: Day) {
      for (let first = 0; first < transfers; first += inFlight) {
        const numbers = Array.from({ length: Math.min(inFlight, transfers - first) }, (_, next) => first + next);
        await Promise.all(numbers.map((number) => order(accounts, number)));
      }
      return Promise.all(accounts.map((each) => each.ask("balance")));
    },
  },
});

/** Transfers between accounts, each of two steps. */
export const bankTransfers: Program<BankSize, readonly number[]> = {
  name: "bank-transfers",
  run: (system, size) => {
    const accounts = Array.from({ length: size.accounts }, () => system.spawn(account));
    return system.spawn(teller).ask("day", { accounts, transfers: size.transfers }, wholeRun);
  },
  plain: ({ accounts, transfers }) => {
    const balances = Array.from({ length: accounts }, () => firstBalance);
    for (let number = 0; number < transfers; number++) {
      const { from, to, amount } = transferOf(accounts, number);
      balances[from] = (balances[from] ?? 0) - amount;
      balances[to] = (balances[to] ?? 0) + amount;
    }
    return balances;
  },
  small: { accounts: 30, transfers: 500 },
  large: { accounts: 1000, transfers: 50_000 },
};

async function order(accounts: Day["accounts"], number: number): Promise<void> {
  const { from, to, amount } = transferOf(accounts.length, number);
  const source = accounts[from];
  const target = accounts[to];
  if (source !== undefined && target !== undefined) await source.ask("transfer", { amount, to: target }, wholeRun);
}

/** Always to an account with a higher number: no circle of accounts waits for each other. */
function transferOf(accounts: number, number: number): { from: number; to: number; amount: number } {
  const from = mixed(number, 0) % (accounts - 1);
  const to = from + 1 + (mixed(number, 1) % (accounts - from - 1));
  return { from, to, amount: mixed(number, 2) % 100 };
}
