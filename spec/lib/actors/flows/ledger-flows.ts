import {
  defineFlow,
  numbers,
  perSlot,
  type ActorReference,
  type EntityKind,
  type FlowBuilder,
  type ProtocolOf,
  type QStream,
} from "../../../../lib/index.ts";
import type { account, broken, ledger, Payment, source } from "./ledger-actors.ts";

export type Ledger = ActorReference<ProtocolOf<typeof ledger>>;
export type Accounts = EntityKind<ProtocolOf<typeof account>>;
export type Source = ActorReference<ProtocolOf<typeof source>>;

interface ToLedger {
  readonly to: Ledger;
  readonly upTo: number;
}

interface ToAccounts {
  readonly to: Accounts;
  readonly upTo: number;
  /** Of the owners, so that each run has its own accounts. */
  readonly prefix: string;
}

export const owners = 7;

function payments(q: FlowBuilder, upTo: number, prefix = "owner"): QStream<Payment> {
  return q
    .read("numbers", numbers(0, upTo))
    .map("payment", (number) => ({ owner: `${prefix}-${number % owners}`, number }));
}

export const toLedger = defineFlow(import.meta.url, (q, { to, upTo }: ToLedger) => ({
  sent: payments(q, upTo).toActor(to, "record"),
}));

export const toPool = defineFlow(import.meta.url, (q, { to, upTo }: ToLedger) => ({
  sent: payments(q, upTo).toActor(to, "record"),
}));

export const inBatches = defineFlow(
  import.meta.url,
  (q, { to, upTo, batches, inFlight = 4 }: ToLedger & { batches: number; inFlight?: number }) => ({
    sent: payments(q, upTo).toActor(to, "recordAll", { batches, inFlight }),
  }),
);

export const delivered = defineFlow(import.meta.url, (q, { to, upTo, batches }: ToLedger & { batches: number }) => ({
  sent: payments(q, upTo).toActor(to, "deliver", { numbered: true, batches }),
}));

export const gathered = defineFlow(import.meta.url, (q, { to, upTo, inFlight }: ToLedger & { inFlight: number }) => ({
  sent: payments(q, upTo).toActor(to, "gather", { inFlight, channels: 1 }),
}));

export const toAccounts = defineFlow(import.meta.url, (q, { to, upTo, prefix }: ToAccounts) => ({
  sent: payments(q, upTo, prefix).toEntities(to, ({ owner }) => owner, "pay"),
}));

export const deliveredToAccounts = defineFlow(import.meta.url, (q, { to, upTo, prefix }: ToAccounts) => ({
  sent: payments(q, upTo, prefix).toEntities(to, ({ owner }) => owner, "deliver", { numbered: true }),
}));

interface FromSource {
  readonly from: Source | readonly Source[];
}

const asking = { most: 10, pauseMs: 1 } as const;

export const fromSource = defineFlow(import.meta.url, (q, { from }: FromSource) => ({
  numbers: q.fromActor("numbers", from, "next", asking).collect(),
}));

export const throughSource = defineFlow(import.meta.url, (q, { from, to }: FromSource & { readonly to: Ledger }) => ({
  sent: q
    .fromActor("numbers", from, "next", asking)
    .map("payment", (number) => ({ owner: "source", number }))
    .toActor(to, "record"),
}));

interface ToMessage extends ToLedger {
  readonly message: "record" | "refuse" | "end" | "never";
  readonly timeoutMs?: number;
}

export const toMessage = defineFlow(import.meta.url, (q, { to, upTo, message, timeoutMs = 30_000 }: ToMessage) => ({
  sent: payments(q, upTo).toActor(to, message, { timeoutMs }),
}));

interface ToBroken {
  readonly to: ActorReference<ProtocolOf<typeof broken>>;
  readonly upTo: number;
}

export const toBroken = defineFlow(import.meta.url, (q, { to, upTo }: ToBroken) => ({
  sent: payments(q, upTo).toActor(to, "record"),
}));

export const onSlots = defineFlow(import.meta.url, (q, { to, upTo }: ToLedger) => ({
  sent: payments(q, upTo).toActor(to, "record", { place: perSlot(1) }),
}));

export const firstOf = defineFlow(
  import.meta.url,
  (q, { from, message }: { from: Source; message: "next" | "forever" }) => ({
    numbers: q.fromActor("numbers", from, message, { endless: true, most: 1 }).limit("some", 3).collect(),
  }),
);

interface FromMessage {
  readonly from: Source;
  readonly message: string;
  readonly timeoutMs?: number;
}

export const fromMessage = defineFlow(import.meta.url, (q, { from, message, timeoutMs = 30_000 }: FromMessage) => ({
  numbers: q.fromActor("numbers", from, message as "next", { timeoutMs }).collect(),
}));
