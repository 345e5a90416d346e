import { Refusal } from "../transport/wire/refusal.ts";
import type { MachineCounts } from "./machine-counts.ts";
import type { FromMachine, MachineOffer, ToMachine } from "./protocol.ts";

// Names, and URLs of stores.
const textLengthMax = 4096;

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const text = (value: unknown): boolean => typeof value === "string" && value.length <= textLengthMax;
const texts = (value: unknown): boolean => Array.isArray(value) && value.every(text);
const whole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const milliseconds = (value: unknown): boolean => typeof value === "number" && value >= 0;
const bytes = (value: unknown): boolean => Array.isArray(value) && value.every((one) => one instanceof Uint8Array);
const yesOrNo = (value: unknown): boolean => typeof value === "boolean";
const optional =
  (holds: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || holds(value);
const object =
  (fields: Fields) =>
  (value: unknown): boolean =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([name, holds]) => holds((value as Readonly<Record<string, unknown>>)[name]));
const objects =
  (fields: Fields) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(object(fields));

const error = object({ name: text, message: (value) => typeof value === "string" });
// What stands in orders and reports is for the slot and the scheduler, which answer what they can't do with the execution's end.
const ofExecution = object({ kind: text, execution: text });

const toMachine: Readonly<Record<ToMachine["kind"], Fields>> = {
  open: {
    execution: text,
    driver: whole,
    epoch: whole,
    bundle: object({ hash: text, url: text }),
    store: text,
    storeWaitMs: milliseconds,
  },
  machines: { machines: objects({ id: text, url: text }) },
  orders: { orders: objects({ slot: text, order: ofExecution, places: optional(whole) }), places: bytes },
  lose: { slot: text },
  "lineage-answer": { question: whole, yes: yesOrNo },
  leave: {},
};

const fromMachine: Readonly<Record<FromMachine["kind"], Fields>> = {
  slots: { slots: texts, tags: texts },
  report: { report: ofExecution },
  "slot-lost": { slot: text, error },
  lineage: { execution: text, question: optional(whole), said: object({ kind: text }) },
  "store-away": { away: yesOrNo },
  taken: { execution: text },
  "slot-replaced": { lost: text, slot: optional(text) },
};

const offer = object({
  id: text,
  url: text,
  slots: texts,
  tags: texts,
  host: text,
  memoryBytes: optional(whole),
});

const counts = object({
  refusedConnections: whole,
  refusedMessages: whole,
  resent: whole,
  repeated: whole,
  redials: whole,
  late: whole,
});

/** Whether something is what a machine counts. */
export function isCounts(content: unknown): content is MachineCounts {
  return counts(content);
}

/** Whether something is what a machine offers. */
export function isOffer(content: unknown): content is MachineOffer {
  return offer(content);
}

/** What a driver tells a machine, once each part of it that is used here is of its type. @throws Refusal */
export function checkToMachine(content: { readonly kind: string }): ToMachine {
  return checked<ToMachine>(content, toMachine);
}

/** What a machine tells a driver. @throws Refusal */
export function checkFromMachine(content: { readonly kind: string }): FromMachine {
  return checked<FromMachine>(content, fromMachine);
}

function checked<T>(content: { readonly kind: string }, kinds: Readonly<Record<string, Fields>>): T {
  const fields = Object.hasOwn(kinds, content.kind) ? kinds[content.kind] : undefined;
  if (fields === undefined)
    throw new Refusal("tell", `machines don't tell ${JSON.stringify(content.kind.slice(0, 40))}`);
  if (!object(fields)(content)) throw new Refusal("tell", `what it tells of ${content.kind} isn't of its form`);
  return content as unknown as T;
}
