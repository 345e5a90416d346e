import { loadedBatches, representationOf, type BatchSupport } from "../../lib/core/batch/index.ts";
import { decodeObjects } from "../../lib/core/codec/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { firstDifference, shorten } from "./first-difference.ts";
import { differsAdvice } from "./logged-output.ts";
import type { Outgoing } from "./outputs.ts";
import type { Parcel } from "./parcel.ts";

/** What a task sent on one link. */
export interface Sent {
  readonly edge: number;
  readonly to: number;
  readonly rows: number;
  readonly content: Parcel["content"];
}

/** What a task is going to send. */
export function sentOf(outgoing: readonly Outgoing[]): Sent[] {
  return outgoing.map(({ link, parcel: { rows, content } }) => ({ edge: link.edge, to: link.to, rows, content }));
}

/** Keeps what a task sends: a transport may take the bytes with it. */
export function keepSent(outgoing: readonly Outgoing[]): Sent[] {
  return sentOf(outgoing).map((sent) => {
    const { content } = sent;
    if (!("payload" in content)) return sent;
    return { ...sent, content: { payload: { ...content.payload, bytes: content.payload.bytes.slice(0) } } };
  });
}

/**
 * Compares what a task sent with what it had sent the first time.
 *
 * @throws QStreamError NONDETERMINISTIC, with the first difference
 */
export function compareSent(now: readonly Sent[], before: readonly Sent[]): void {
  const count = Math.max(now.length, before.length);
  for (let at = 0; at < count; at++) {
    const ours = now[at];
    const theirs = before[at];
    if (ours === undefined || theirs === undefined || ours.edge !== theirs.edge || ours.to !== theirs.to) {
      throw unlike(`sent ${describe(ours)}`, describe(theirs));
    }
    compareParcels(ours, theirs);
  }
}

/** The error of a task that did something else when it was run once more. */
export function unlike(now: string, before: string, cause?: unknown): QStreamError {
  return new QStreamError("NONDETERMINISTIC", `run once more, the task ${now}; the first time, ${before}`, {
    advice: differsAdvice,
    ...(cause === undefined ? {} : { cause }),
  });
}

function compareParcels(ours: Sent, theirs: Sent): void {
  // What a closed link would have got is only counted.
  const onlyCounted = isEmpty(theirs) || isEmpty(ours);
  if (!onlyCounted && !sameBytes(ours.content, theirs.content)) {
    const now = objectsOf(ours.content);
    const before = objectsOf(theirs.content);
    for (let at = 0; at < Math.min(now.length, before.length); at++) {
      const difference = firstDifference(now[at], before[at]);
      if (difference === undefined) continue;
      const place = `object ${at} to channel ${ours.to} on edge ${ours.edge}`;
      throw unlike(`sent ${shorten(now[at])} as ${place}`, `it was ${shorten(before[at])}`);
    }
  }
  if (ours.rows !== theirs.rows) throw unlike(`sent ${describe(ours)}`, describe(theirs));
}

function isEmpty({ rows, content }: Sent): boolean {
  return rows > 0 && "objects" in content && content.objects.length === 0;
}

function sameBytes(ours: Parcel["content"], theirs: Parcel["content"]): boolean {
  if (!("payload" in ours) || !("payload" in theirs)) return false;
  return Buffer.compare(new Uint8Array(ours.payload.bytes), new Uint8Array(theirs.payload.bytes)) === 0;
}

/** Single objects: those of batches, too. */
function objectsOf(content: Parcel["content"]): readonly unknown[] {
  const batches = loadedBatches();
  if ("payload" in content) {
    const { payload } = content;
    return payload.format === "batch" ? rowsOf(batches?.decode(payload), batches) : decodeObjects(payload);
  }
  const { objects } = content;
  return representationOf(objects[0]) === undefined ? objects : objects.flatMap((batch) => rowsOf(batch, batches));
}

function rowsOf(batch: unknown, batches: BatchSupport | undefined): readonly unknown[] {
  return batches?.toObjects(batch) ?? [];
}

function describe(sent: Sent | undefined): string {
  return sent === undefined ? "nothing more" : `${sent.rows} objects to channel ${sent.to} on edge ${sent.edge}`;
}
