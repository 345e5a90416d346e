import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { Parcel } from "./parcel.ts";

/** What a channel wishes when it sends a mark, as bits: what depends on time is in the log with it. */
export const markFlags = {
  /** It is time to save the state. */
  due: 1,
  /** A state is still being saved: another one would pile up. */
  busy: 2,
  /** Nobody wants the loop's results any more. */
  unwanted: 4,
  /** It says something new, which needs the marks of all: in a loop without rounds they are sent at once. */
  urgent: 8,
} as const;

/** The content of a mark, as data. */
export interface MarkData {
  /** The round, or the generation of a loop without rounds, that ends with it. */
  readonly number: number;
  /** Objects that the channel has fed back in it. */
  readonly fed: number;
  readonly vote: unknown;
  /** True if the channel's inputs had ended. */
  readonly ended: boolean;
  /** Bits of `markFlags`. */
  readonly flags: number;
}

/**
 * What each channel of a loop sends to all of them, behind all that it has fed back in a round or generation: since links keep
 * order, who has the mark has all of that. It travels as a parcel without objects.
 */
export class Mark implements MarkData {
  readonly number: number;
  readonly fed: number;
  readonly vote: unknown;
  readonly ended: boolean;
  readonly flags: number;

  constructor({ number, fed, vote, ended, flags }: MarkData) {
    this.number = number;
    this.fed = fed;
    this.vote = vote;
    this.ended = ended;
    this.flags = flags;
  }
}

/** True for a parcel that holds a mark, and no objects. */
export function isMark({ rows, columnar }: Pick<Parcel, "rows" | "columnar">): boolean {
  return rows === 0 && !columnar;
}

/** A mark as it leaves a slot. */
export function encodeMark({ number, fed, vote, ended, flags }: MarkData): Payload {
  return { ...encodeObjects([{ number, fed, vote, ended, flags }]), rows: 0 };
}

export function markIn({ content }: Parcel): MarkData {
  if ("objects" in content) {
    const { number, fed, vote, ended, flags } = content.objects[0] as Mark;
    return { number, fed, vote, ended, flags };
  }
  return decodeObjects({ ...content.payload, rows: 1 })[0] as MarkData;
}
