import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import { decodeObjects, encodeObjects } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { EntityReference } from "../entities.ts";
import { NumberedEnvelope, type Sender } from "./durable-envelopes.ts";
import { KeptState, type KeptMessage, type KeptTimer } from "./kept-state.ts";
import { OutgoingMail } from "./outbox.ts";

/** All that is known of a durable actor after a transition. */
export interface Snapshot {
  /** Version of the form of the state. */
  readonly version: number;
  readonly state: unknown;
  readonly kept: KeptState;
  readonly mail: Iterable<OutgoingMail>;
}

/** The snapshot as it travels: plain, so that the codec of objects takes it, and what is in it twice stays one. */
interface PlainSnapshot {
  readonly form: 1;
  readonly version: number;
  readonly state: unknown;
  readonly args: unknown;
  readonly seed: number;
  readonly mode: string | undefined;
  readonly heard: ReadonlyMap<string, number>;
  readonly timers: readonly KeptTimer[];
  readonly timerCount: number;
  readonly stash: readonly KeptMessage[];
  readonly again: readonly KeptMessage[];
  readonly topics: ReadonlyMap<string, string>;
  readonly mail: readonly PlainMail[];
}

interface PlainMail {
  readonly to: AnyReference;
  readonly sent: number;
  /** Messages that weren't acknowledged: the last ones. */
  readonly waiting: readonly { readonly name: string; readonly payload: unknown }[];
}

const form = 1;
const formatBytes = 1;

/** @throws QStreamError CANNOT_TRAVEL for a state that can't be kept, naming what can't and where it is */
export function writeSnapshot({ version, state, kept, mail }: Snapshot): Uint8Array {
  const plain: PlainSnapshot = {
    form,
    version,
    state,
    args: kept.args,
    seed: kept.seed,
    mode: kept.mode,
    heard: kept.heard,
    timers: [...kept.timers.values()],
    timerCount: kept.timerCount,
    stash: kept.stash,
    again: kept.again,
    topics: kept.topics,
    mail: [...mail].map(({ to, sent, waiting }) => {
      return { to, sent, waiting: waiting.map(({ message, payload }) => ({ name: message, payload })) };
    }),
  };
  const { format, bytes } = encodeObjects([plain], formatBytes);
  const all = new Uint8Array(bytes);
  all[0] = format === "columns" ? 1 : 0;
  return all;
}

/** Reads what `writeSnapshot` wrote, of the actor after transition `seq`. */
export function readSnapshot(bytes: Uint8Array, seq: number, sender: Sender): Snapshot {
  const format = bytes[0] === 1 ? "columns" : "clone";
  const [plain] = decodeObjects({ format, rows: 1, bytes: new Uint8Array(bytes.subarray(formatBytes)).buffer }) as [
    PlainSnapshot,
  ];
  if (plain.form !== form) {
    throw new QStreamError("NOT_RECOVERABLE", `the snapshot of ${sender.name} is of the form ${String(plain.form)}`, {
      advice: "A later version of QStream wrote it: start that one",
    });
  }
  const kept = new KeptState();
  kept.seq = seq;
  kept.args = plain.args;
  kept.seed = plain.seed;
  kept.mode = plain.mode;
  kept.heard = new Map(plain.heard);
  for (const timer of plain.timers) kept.timers.set(timer.id, timer);
  kept.timerCount = plain.timerCount;
  kept.stash = [...plain.stash];
  kept.again = [...plain.again];
  kept.topics = new Map(plain.topics);
  const mail = plain.mail.map((one) => readMail(one, sender));
  return { version: plain.version, state: plain.state, kept, mail };
}

function readMail({ to, sent, waiting }: PlainMail, sender: Sender): OutgoingMail {
  const receiver = to as EntityReference;
  const first = sent - waiting.length + 1;
  const envelopes = waiting.map((message, index) => new NumberedEnvelope(receiver, sender, first + index, message));
  return new OutgoingMail(receiver, sent, envelopes);
}
