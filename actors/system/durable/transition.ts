import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import { keyedRandom, type Random } from "../../../lib/core/seam/random.ts";
import type { ReplyTo } from "../envelope.ts";
import type { EntityReference } from "../entities.ts";
import type { Message } from "./durable-envelopes.ts";
import type { Effect } from "./effects.ts";

/** A message that a transition sends to a durable actor; it gets its number when the transition is done. */
export interface OutgoingMessage extends Message {
  readonly to: EntityReference;
}

/** One step of a durable actor, while its handler runs. */
export class Transition {
  readonly seq: number;
  readonly sender: AnyReference | undefined;
  /** Who waits for the answer; undefined in a replay. */
  readonly reply: ReplyTo | undefined;
  /** A step that was logged: its effects have left already. */
  readonly isReplay: boolean;
  /** What `ctx.now()` says: undefined until it is asked. */
  now: number | undefined;
  random: Random | undefined = undefined;
  /** In the order in which they are to leave. */
  readonly effects: (Effect | OutgoingMessage)[] = [];
  sent = 0;
  isAside = false;

  constructor(
    seq: number,
    sender: AnyReference | undefined,
    reply: ReplyTo | undefined,
    logged?: { now: number | undefined },
  ) {
    this.seq = seq;
    this.sender = sender;
    this.reply = reply;
    this.isReplay = logged !== undefined;
    this.now = logged?.now;
  }

  /** Each transition has a generator of its own, so that no replay depends on those before it. */
  draw(seed: number): number {
    return (this.random ??= keyedRandom(seed, this.seq))();
  }

  add(effect: Effect): void {
    if (!this.isReplay) this.effects.push(effect);
  }

  send(to: EntityReference, name: string, payload: unknown): void {
    this.sent++;
    this.effects.push({ to, name, payload });
  }
}
