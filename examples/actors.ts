/**
 * A bank of actors: accounts that are entities, tellers that fail and are supervised, an auditor that listens.
 *
 *     node dist/examples/actors.js
 *
 * Four tellers move money between accounts at the same time. Each account is an actor, so no two tellers ever see half of a change;
 * a teller that stumbles gives back what it took, fails, and is made anew by its supervision. However often that happens, not a cent
 * is lost or made, and the auditor, who hears of every transfer that was done, comes to the same balances.
 */
import { pathToFileURL } from "node:url";
import { actor, formatTable, startActors, workerPool, type ActorReference, type Supervision } from "qstream";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

/** Not enough money is no failure of an account: whoever asked is refused, and the account goes on as it is. */
export class Overdrawn extends Error {
  override readonly name = "Overdrawn";
}

export const account = actor({
  kind: "account",
  init: (owner: string) => ({ owner, cents: 0 }),
  receive: {
    deposit(state, cents: number) {
      state.cents += cents;
    },
    withdraw(state, cents: number, ctx) {
      if (cents > state.cents) ctx.refuse(new Overdrawn(`${state.owner} has ${state.cents} cents, not ${cents}`));
      state.cents -= cents;
    },
    balance: (state) => state.cents,
  },
});

/** A teller that stumbles is made anew at once; one that stumbles 1,000 times a second is sent home. */
const supervise: Supervision = [{ do: "restart", limit: { restarts: 1000, withinMs: 1000 } }];

export const teller = actor({
  kind: "teller",
  init: (stumbles: number) => ({ stumbles }),
  receive: {
    async transfer({ stumbles }, { from, to, cents }: Transfer, ctx) {
      const [payer, payee] = [ctx.entity(account, from), ctx.entity(account, to)];
      try {
        await payer.ask("withdraw", cents);
      } catch (error) {
        if (error instanceof Overdrawn) ctx.refuse(error);
        throw error;
      }
      if (ctx.random() < stumbles) {
        payer.tell("deposit", cents);
        throw new Error("stumbled on the way to the safe");
      }
      payee.tell("deposit", cents);
      ctx.publish("transfers", { from, to, cents });
    },
  },
  supervise,
});

export const auditor = actor({
  kind: "auditor",
  init: (opening: ReadonlyMap<string, number>, ctx) => {
    ctx.subscribe("transfers", "transferred");
    return { balances: new Map(opening), heard: 0 };
  },
  receive: {
    transferred({ balances }, { from, to, cents }: Transfer, ctx) {
      balances.set(from, (balances.get(from) ?? 0) - cents);
      balances.set(to, (balances.get(to) ?? 0) + cents);
      ctx.count("transfers");
    },
    balances: ({ balances }): ReadonlyMap<string, number> => new Map(balances),
  },
});

export interface BankDay {
  readonly owners: readonly string[];
  readonly transfers: readonly Transfer[];
  /** What each account holds in the morning. */
  readonly openingCents: number;
  /** How probable it is that a teller stumbles: 0 to 1. */
  readonly stumbles: number;
}

export interface Evening {
  readonly balances: Readonly<Record<string, number>>;
  /** The same, as the auditor has worked it out. */
  readonly audited: Readonly<Record<string, number>>;
  readonly done: number;
  readonly overdrawn: number;
  readonly stumbled: number;
}

/** One day of the bank. */
export async function bankDay({ owners, transfers, openingCents, stumbles }: BankDay): Promise<Evening> {
  await using system = startActors({ onEvent: () => {} });
  const accounts = owners.map((owner) => system.entity(account, owner));
  for (const each of accounts) each.tell("deposit", openingCents);
  const audit = system.spawn(auditor, new Map(owners.map((owner) => [owner, openingCents])));
  await audit.ask("balances");

  const tellers = system.spawn(workerPool(teller, { size: 4 }), stumbles);
  const results = await Promise.allSettled(transfers.map((transfer) => tellers.ask("transfer", transfer)));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
  const overdrawn = errors.filter((error) => error instanceof Overdrawn).length;

  return {
    balances: Object.fromEntries(await Promise.all(accounts.map(balanceOf))),
    audited: Object.fromEntries(await audit.ask("balances")),
    done: transfers.length - errors.length,
    overdrawn,
    stumbled: errors.length - overdrawn,
  };
}

async function balanceOf(each: ActorReference<{ balance: () => number }>, index: number): Promise<[string, number]> {
  return [each.label.split("/")[1] ?? String(index), await each.ask("balance")];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const owners = ["Ahab", "Ishmael", "Queequeg", "Starbuck"];
  const transfers = Array.from({ length: 200 }, (_, index) => ({
    from: owners[index % 4] ?? "",
    to: owners[(index * 3 + 1 + Math.floor(index / 4)) % 4] ?? "",
    cents: 100 + ((index * 137) % 900),
  }));
  const { balances, audited, done, overdrawn, stumbled } = await bankDay({
    owners,
    transfers,
    openingCents: 2000,
    stumbles: 0.1,
  });
  console.log(formatTable(owners.map((owner) => ({ owner, cents: balances[owner], audited: audited[owner] }))));
  console.log(`${done} transfers done, ${overdrawn} refused, ${stumbled} given back by tellers that stumbled`);
}
