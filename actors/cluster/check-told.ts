import {
  bytes,
  checkTold,
  errorData,
  integer,
  list,
  milliseconds,
  object,
  oneOf,
  optional,
  text,
  texts,
  whole,
  yesOrNo,
} from "./forms.ts";
import type { Fields } from "./forms.ts";
import type { FromMachine, LineageWord, ToMachine } from "./protocol.ts";

// What else stands in orders and reports is for the slot and the scheduler, which answer what they can't do with the execution's end.
const ofExecution = { kind: text, execution: text };

const toMachine: Readonly<Record<ToMachine["kind"], Fields>> = {
  open: {
    execution: text,
    driver: whole,
    epoch: whole,
    bundle: object({ hash: text, url: text }),
    store: text,
    storeWaitMs: milliseconds,
  },
  machines: { machines: list(object({ id: text, url: text })) },
  orders: {
    orders: list(object({ slot: text, order: object(ofExecution), places: optional(whole) })),
    places: list(bytes),
  },
  lose: { slot: text },
  "lineage-answer": { question: whole, yes: yesOrNo },
  leave: {},
};

const positions = list(object({ edge: whole, other: whole, seq: integer }));
const head = object({
  consumed: positions,
  made: positions,
  changes: optional(object({ previous: whole, base: whole })),
});
const lineageWords: Readonly<Record<LineageWord["kind"], Fields>> = {
  usable: { number: whole, head },
  saved: { number: whole, seq: whole, head },
  damaged: { number: whole, seq: whole },
  refused: { number: whole, generation: whole },
  failed: { error: errorData },
  written: { written: object({ records: whole, recordBytes: whole, checkpoints: whole, checkpointBytes: whole }) },
};

const fromMachine: Readonly<Record<FromMachine["kind"], Fields>> = {
  slots: { slots: texts, tags: texts },
  report: { report: object({ ...ofExecution, error: optional(errorData) }) },
  "slot-lost": { slot: text, error: errorData, activity: optional(object({})) },
  lineage: { execution: text, question: optional(whole), said: oneOf(lineageWords) },
  "store-away": { away: yesOrNo },
  "peer-silent": { machine: text },
  taken: { execution: text },
  "slot-replaced": { lost: text, slot: optional(text) },
};

/** What a driver tells a machine, once each part of it that is used here is of its type. @throws Refusal */
export function checkToMachine(content: { readonly kind: string }): ToMachine {
  return checkTold<ToMachine>(content, toMachine, "drivers");
}

/** What a machine tells a driver. @throws Refusal */
export function checkFromMachine(content: { readonly kind: string }): FromMachine {
  return checkTold<FromMachine>(content, fromMachine, "machines");
}
