import type { AnyReference } from "../../../lib/core/contracts/actor.ts";

/** A timer that is pending. */
export interface KeptTimer {
  readonly id: number;
  readonly name: string;
  readonly payload: unknown;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  /** Undefined for one that goes off once. */
  readonly periodMs: number | undefined;
}

/** A message that was put aside. */
export interface KeptMessage {
  /** The transition in which it was put aside. */
  readonly seq: number;
  readonly name: string;
  readonly payload: unknown;
  readonly sender: AnyReference | undefined;
}

/** What is kept of a durable actor besides the state that its handlers see. All of it changes in transitions only. */
export class KeptState {
  /** The last transition; -1 before the first. */
  seq = -1;
  args: unknown = undefined;
  /** Of what `ctx.random()` gives. */
  seed = 0;
  mode: string | undefined = undefined;
  /** By senders that are durable, the number of the last message. */
  heard = new Map<string, number>();
  timers = new Map<number, KeptTimer>();
  timerCount = 0;
  stash: KeptMessage[] = [];
  /** Taken back from the stash: handled before anything else. */
  again: KeptMessage[] = [];
  /** Topics that it gets, and the names of their messages. */
  topics = new Map<string, string>();
}
