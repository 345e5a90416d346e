import { defineFlow, numbers, type ActorReference, type EntityKind, type ProtocolOf } from "../../../../lib/index.ts";
import type { account, ledger, Payment, source } from "./ledger-actors.ts";

export type Ledger = ActorReference<ProtocolOf<typeof ledger>>;
export type Accounts = EntityKind<ProtocolOf<typeof account>>;
export type Source = ActorReference<ProtocolOf<typeof source>>;

export const owners = 7;
export const paymentOf = (number: number): Payment => ({ owner: `owner-${number % owners}`, number });

export const toLedger = defineFlow(import.meta.url, (q, args: { to: Ledger; upTo: number }) => ({
  sent: q.read("numbers", numbers(0, args.upTo)).map("payment", paymentOf).toActor(args.to, "record"),
}));

export const inBatches = defineFlow(import.meta.url, (q, args: { to: Ledger; upTo: number; batches: number }) => ({
  sent: q
    .read("numbers", numbers(0, args.upTo))
    .map("payment", paymentOf)
    .toActor(args.to, "recordAll", { batches: args.batches }),
}));

export const toAccounts = defineFlow(import.meta.url, (q, args: { to: Accounts; upTo: number }) => ({
  sent: q
    .read("numbers", numbers(0, args.upTo))
    .map("payment", paymentOf)
    .toEntities(args.to, ({ owner }) => owner, "pay"),
}));

export const throughSource = defineFlow(import.meta.url, (q, args: { from: Source | readonly Source[]; to: Ledger }) => ({
  sent: q.fromActor("numbers", args.from, "next", { most: 10, pauseMs: 1 }).map("payment", paymentOf).toActor(args.to, "record"),
}));

export const fromSource = defineFlow(import.meta.url, (q, args: { from: Source | readonly Source[] }) => ({
  numbers: q.fromActor("numbers", args.from, "next", { most: 10, pauseMs: 1 }).collect(),
}));
