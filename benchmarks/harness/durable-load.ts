// The process of a benchmark of durable actors: argv are the store and for how many seconds it measures. It sends bursts of deposits to
// all accounts, until it is killed, and tells its parent what was answered, and how long that took.

import { startActors } from "qstream";
import { account, accounts, burst } from "./durable-accounts.ts";

/** What the parent is told: by accounts, the last deposit that was answered; and once what was measured. */
export interface DurableReport {
  readonly answered: readonly number[];
  readonly measured?: { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };
}

const [, , store = "memory", seconds = "5"] = process.argv;
const warmUpMs = 2000;
const reportMs = 100;
const ask = { timeoutMs: 60_000 };
const system = startActors({ store });
const references = Array.from({ length: accounts }, (_, index) => system.entity(account, `a${index}`));
const answered = new Array<number>(accounts).fill(0);
let waits: number[] = [];
let sinceMs = Infinity;

async function load(index: number): Promise<void> {
  const to = references[index];
  for (let number = 0; to !== undefined;) {
    for (let left = burst; left > 1; left--) to.tell("deposit", { number: ++number, amount: left });
    const asked = performance.now();
    answered[index] = await to.ask("deposit", { number: ++number, amount: 1 }, ask);
    if (asked >= sinceMs) waits.push(performance.now() - asked);
  }
}

function total(): number {
  return answered.reduce((sum, count) => sum + count, 0);
}

function report(more: Partial<DurableReport> = {}): void {
  process.send?.({ answered: [...answered], ...more } satisfies DurableReport);
}

for (let index = 0; index < accounts; index++) void load(index);
setTimeout(() => {
  const before = total();
  sinceMs = performance.now();
  setTimeout(
    () => {
      const perSecond = ((total() - before) / (performance.now() - sinceMs)) * 1000;
      const sorted = waits.toSorted((left, right) => left - right);
      waits = [];
      const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;
      report({ measured: { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) } });
    },
    1000 * Number(seconds),
  );
}, warmUpMs);
setInterval(report, reportMs);
