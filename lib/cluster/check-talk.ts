import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import type { MachineOffer } from "../../actors/cluster/protocol.ts";
import {
  checkTold,
  list,
  milliseconds,
  object,
  onlyKnown,
  optional,
  record,
  text,
  texts,
  tuple,
  url,
  whole,
  words,
  yesOrNo,
  type Fields,
  type Form,
} from "../../actors/cluster/forms.ts";
import type { FromClient, FromWorker, ToWorker } from "./protocol.ts";

type Told = Parameters<typeof checkTold>[0];

const payload = object({ format: text, rows: whole, bytes: (value) => value instanceof ArrayBuffer });
const submission = object({
  module: url,
  flow: text,
  args: object({ plain: payload, batches: list(tuple(text, payload)) }),
  // Of the run itself: its driver looks at them, and fails it.
  options: object({ store: optional((value) => value === "none") }),
  bundle: text,
  codeHash: optional(text),
  detach: yesOrNo,
  resume: optional(
    object({
      execution: text,
      rescale: optional((value) => value === true || record((channels) => typeof channels === "number")(value)),
    }),
  ),
});

const fromClient: Readonly<Record<FromClient["kind"], Fields>> = {
  submit: { submission },
  stored: { execution: text },
  follow: { execution: text },
  cancel: { execution: text, reason: words },
  drain: { machine: text },
  rebalance: { execution: optional(text) },
  list: {},
  deposed: { leader: text, epoch: whole },
  "release-datasets": { datasets: texts },
  taken: { execution: text },
  // Its driver looks at it.
  actors: { execution: text, content: (value) => typeof value === "object" && value !== null },
  view: { execution: text, request: words },
  viewed: {
    view: whole,
    answer: optional((value) => typeof value === "string"),
    error: optional(object({ message: words })),
  },
};

const offer: Readonly<Record<keyof MachineOffer, Form>> = {
  id: text,
  url: text,
  slots: texts,
  tags: texts,
  host: text,
  memoryBytes: optional(whole),
  storeAway: optional(yesOrNo),
};

const counts: Readonly<Record<keyof MachineCounts, Form>> = {
  refusedConnections: whole,
  refusedMessages: whole,
  resent: whole,
  repeated: whole,
  redials: whole,
  late: whole,
};

// More than heads ever lead; one that is above them all has to be a number yet, also in Redis.
const epochsMax = 2 ** 40;

const fromWorker: Readonly<Record<FromWorker["kind"], Fields>> = {
  offer: { offer: object(offer) },
  counts: { counts: object(counts) },
  later: { epoch: (value) => whole(value) && Number(value) < epochsMax },
  drain: {},
};

const toWorker: Readonly<Record<ToWorker["kind"], Fields>> = {
  welcome: { leaseMs: milliseconds, epoch: whole, head: text },
  elsewhere: { leader: text },
  listed: {},
  "given-up": {},
  "machine-gone": { machine: text },
  "release-datasets": { datasets: texts },
  leave: {},
};

/** What a client asks of the head, once each part of it is of its type. @throws Refusal */
export function checkFromClient(content: Told): FromClient {
  return checkTold<FromClient>(content, fromClient, "clients");
}

/** What a worker tells the head: others hear of it, and Redis keeps it, so there is nothing else in it. @throws Refusal */
export function checkFromWorker(content: Told): FromWorker {
  const told = checkTold<FromWorker>(content, fromWorker, "workers");
  if (told.kind === "offer") return { kind: "offer", offer: onlyKnown(told.offer, offer) };
  return told.kind === "counts" ? { kind: "counts", counts: onlyKnown(told.counts, counts) } : told;
}

/** What the head tells a worker. @throws Refusal */
export function checkToWorker(content: Told): ToWorker {
  return checkTold<ToWorker>(content, toWorker, "heads");
}
