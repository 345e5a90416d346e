// node transfers.js STORE MOVES: money goes from account to account, and a ledger is told of each move. Prints a line for each deposit
// that was answered, and the ledger as JSON when all moves are done. Killed, it is started again, and goes on.
import { setTimeout as wait } from "node:timers/promises";
import { actor } from "../../../../lib/actors/actor.ts";
import { startActors } from "../../../../lib/actors/actor-system.ts";

const accounts = 8;
const movers = 4;

/** Which moves there were, and how often: each once, if all is well. */
export const ledger = actor({
  kind: "ledger",
  durable: true,
  init: (_key: string) => ({ moves: new Map<string, number>() }),
  receive: {
    note: ({ moves }, move: string) => void moves.set(move, (moves.get(move) ?? 0) + 1),
    count: ({ moves }) => moves.size,
    get: ({ moves }) => [...moves.values()],
  },
});

const account = actor({
  kind: "account",
  durable: { snapshotEvery: 100 },
  init: (_key: string) => ({ balance: 0, deposits: 0 }),
  receive: {
    deposit(state, amount: number) {
      state.balance += amount;
      return ++state.deposits;
    },
    debit(state, { move, amount, to }: { readonly move: string; readonly amount: number; readonly to: string }, ctx) {
      state.balance -= amount;
      ctx.entity(account, to).tell("credit", { move, amount });
    },
    credit(state, { move, amount }: { readonly move: string; readonly amount: number }, ctx) {
      state.balance += amount;
      ctx.entity(ledger, "all").tell("note", move);
    },
    get: (state) => state,
  },
});

const mover = actor({
  kind: "mover",
  durable: { snapshotEvery: 50 },
  init: (key: string) => ({ key, done: 0, most: 0 }),
  receive: {
    start(state, most: number, ctx) {
      if (state.most > 0) return;
      state.most = most;
      ctx.entity(mover, state.key).tell("next");
    },
    next(state, _none: undefined, ctx) {
      if (state.done >= state.most) return;
      const move = `${state.key}-${++state.done}`;
      const [from, to] = [Math.floor(ctx.random() * accounts), Math.floor(ctx.random() * accounts)];
      ctx.entity(account, `a${from}`).tell("debit", { move, amount: state.done, to: `a${to}` });
      ctx.entity(mover, state.key).tell("next");
    },
  },
});

const [, , store = "memory", moves = "100"] = process.argv;
const system = startActors({ store, kinds: [mover, account, ledger] });
const names = Array.from({ length: movers }, (_, index) => `m${index}`);
for (const name of names) await system.entity(mover, name).ask("start", Number(moves), { timeoutMs: 60_000 });
const all = system.entity(ledger, "all");
for (;;) {
  const deposits = await system.entity(account, "a0").ask("deposit", 0, { timeoutMs: 60_000 });
  process.stdout.write(`deposits ${deposits}\n`);
  if ((await all.ask("count", undefined, { timeoutMs: 60_000 })) >= movers * Number(moves)) break;
  await wait(5);
}
const counts = await all.ask("get");
let sum = 0;
for (let index = 0; index < accounts; index++) sum += (await system.entity(account, `a${index}`).ask("get")).balance;
const { deposits } = await system.entity(account, "a0").ask("get");
process.stdout.write(`${JSON.stringify({ moves: counts.length, most: Math.max(...counts), sum, deposits })}\n`);
await system.close();
