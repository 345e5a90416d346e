import type { PlacementStrategy } from "../placement-strategy.ts";
import type { MailboxOptions, Supervision } from "./actor-options.ts";

/** What an actor can be sent: by name, what the message carries, and what an `ask` of it is answered with. */
export type Protocol = object;

/** The payload of a message, as the rest of an argument list: none where the handler takes none. */
export type PayloadOf<Message> = Message extends (...payload: infer Payload) => unknown
  ? Payload extends [infer Only]
    ? IsNothing<Only> extends true
      ? [payload?: undefined]
      : Payload
    : Payload
  : never;

/** True for a payload that there isn't; `any` and `unknown` are ones. */
export type IsNothing<Payload> = 0 extends 1 & Payload ? false : [Payload] extends [undefined | void] ? true : false;

/** What an `ask` resolves to. */
export type ReplyOf<Message> = Message extends (...payload: never[]) => infer Reply ? AnswerOf<Awaited<Reply>> : never;

/** What somebody gets to see of what a handler returns. */
export type AnswerOf<Reply> = Reply extends Deferred<infer Later> ? Later : Reply;

type AskRest<Message> =
  PayloadOf<Message> extends []
    ? [payload?: undefined, options?: AskOptions]
    : [...payload: PayloadOf<Message>, options?: AskOptions];

export interface AskOptions {
  /** Milliseconds after which it is given up: ASK_TIMEOUT. Default 5,000. */
  readonly timeoutMs?: number;
  /** Gives it up when aborted: ABORTED. What nobody has handled yet is not handled then. */
  readonly signal?: AbortSignal;
}

/**
 * Where to send messages: a typed value that is compared by `equals`, travels inside messages, and works in its slot, between slots and
 * between machines. It is good after its actor has stopped, too: what is sent then is a dead letter, and an `ask` is refused.
 */
export interface ActorReference<out P> {
  /** Name of the actor's kind and number, for people: `counter-3`. */
  readonly label: string;
  /**
   * Sends a message, and goes on. Messages of one actor to another are handled in the order in which they were sent; each once at most, or
   * exactly once if both are durable. What can't leave the slot becomes a dead letter (`cannot-travel`) at the end of the turn.
   *
   * @param name - of the handler
   * @param payload - what it is given; not to be changed any more by anybody
   * @throws QStreamError MAILBOX_FULL where the receiver's mailbox says `fail`
   * @example
   * counter.tell("add", 5);
   */
  tell<Name extends keyof P & string>(name: Name, ...payload: PayloadOf<P[Name]>): void;
  /**
   * Sends a message, and waits for what its handler returns.
   *
   * @returns what the handler returned; rejected with what it threw, ASK_TIMEOUT, ACTOR_STOPPED or ABORTED
   * @example
   * const count = await counter.ask("get", undefined, { timeoutMs: 100 });
   */
  ask<Name extends keyof P & string>(name: Name, ...rest: AskRest<P[Name]>): Promise<ReplyOf<P[Name]>>;
  equals(other: unknown): boolean;
}

/** A reference of which nothing is known; it fits wherever one is wanted. What has no handler is a dead letter. */
// oxlint-disable-next-line typescript/no-explicit-any -- whoever has it says what it is
export type AnyReference = ActorReference<any>;

/** An answer that comes later: a handler returns it instead of the answer. */
export interface Deferred<in out T> {
  /** Answers. Only the first answer counts. */
  send(value: T): void;
  /** Answers with an error. */
  fail(error: Error): void;
}

/** Why an actor has ended: it was stopped, it failed, its slot or machine was lost, or nobody knows of it. */
export type EndReason = "stopped" | "failed" | "lost" | "unknown";

export interface Ended {
  readonly actor: AnyReference;
  readonly reason: EndReason;
  /** What it failed with. */
  readonly error?: Error;
}

/** A timer that was set. */
export type ActorTimer = number & { readonly timer?: never };

export interface SpawnOptions {
  /** By which others find it; one of its name lives in the whole system. */
  readonly name?: string;
  /** Where it runs; in this slot unless told. */
  readonly place?: ActorPlace;
  /** Instead of the definition's. */
  readonly mailbox?: MailboxOptions;
  readonly supervise?: Supervision;
}

export interface StopOptions {
  /** What waits in its mailbox by now is handled first. Default: false. */
  readonly afterMail?: boolean;
}

/** Where an actor is to run: by a strategy, as channels are placed, or where another actor runs. */
export type ActorPlace = PlacementStrategy | { readonly kind: "near"; readonly actor: AnyReference };

/** What an actor knows of itself, and may ask. Good during its handlers, and after an `await` in them. */
export interface ActorContext {
  /** A reference to this actor. */
  readonly self: AnyReference;
  /** Who sent the message that is handled; undefined for one from outside of actors. */
  readonly sender: AnyReference | undefined;
  /** How often it was made anew by supervision. */
  readonly restarts: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** A number in [0, 1) of a generator that the system's seed gives this actor. */
  random(): number;
  /**
   * Starts an actor, which is a child of this one: it is stopped with it, and what it escalates comes here.
   *
   * @example
   * const worker = ctx.spawn(counter, 5);
   */
  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P>;
  /** The actor of a kind and key. It comes to be where its key belongs when it gets its first message. */
  entity<P>(definition: EntityDefinition<P>, key: string): ActorReference<P>;
  /**
   * Stops an actor, and all below it, after what it handles now; itself unless told. What waits in its mailbox becomes dead letters, or
   * is handled first: `{ afterMail: true }`. What waits for an entity is for its next life.
   */
  stop(actor?: AnyReference, options?: StopOptions): void;
  /** Has `watched` called when the actor ends, whatever the reason; at once for one that has. Of an entity, its present life. */
  watch(actor: AnyReference): void;
  unwatch(actor: AnyReference): void;
  /**
   * Sends this actor a message once so many milliseconds have passed. Timers end with the actor, and when it is restarted.
   *
   * @throws QStreamError ACTOR_INVALID where it has no handler for that; OPTION_INVALID for a time that can't be
   */
  after(delayMs: number, name: string, payload?: unknown): ActorTimer;
  /** Sends this actor a message again and again: none while the last one still waits. */
  every(periodMs: number, name: string, payload?: unknown): ActorTimer;
  /** What is cancelled isn't handled, even if it waits in the mailbox already. False for what was handled or cancelled before. */
  cancel(timer: ActorTimer): boolean;
  /** From the next message on, handlers of this mode come before those of `receive`; without a mode, only those. */
  become(mode?: string): void;
  /** Puts the message that is handled aside, unanswered, until `unstash`. LIMIT_EXCEEDED beyond the mailbox's limit. */
  stash(): void;
  /** What was put aside is handled next, in its order. */
  unstash(): void;
  /** The answer to this message comes later: return this. */
  deferred<T>(): Deferred<T>;
  /**
   * Hands the message that is handled on to another actor, which answers it: it gets it from who sent it here. What this handler
   * returns is no answer then.
   */
  forward(actor: AnyReference): void;
  /** Refuses the message: who asked gets the error, and the actor goes on as if it hadn't failed. */
  refuse(error: Error): never;
  /** Finds an actor by its name. */
  find(name: string): Promise<AnyReference | undefined>;
  /** Gets what is published under a topic, as messages of this name. */
  subscribe(topic: string, name: string): void;
  unsubscribe(topic: string): void;
  publish(topic: string, payload: unknown): void;
  /** Adds to a counter that metrics show under this name. */
  count(name: string, amount?: number): void;
}

/** Arguments where there are any, and options. */
export type SpawnRest<Args> = [Args] extends [undefined | void]
  ? [args?: undefined, options?: SpawnOptions]
  : [args: Args, options?: SpawnOptions];

declare const protocolOf: unique symbol;
declare const argumentsOf: unique symbol;

/** A kind of actor, as `actor` makes it: spawned any number of times. */
export interface ActorDefinition<out P, in Args> {
  readonly [protocolOf]?: P;
  readonly [argumentsOf]?: (args: Args) => void;
  /** What people call it. */
  readonly kind: string;
}

/** A definition whose actors can be entities: its `init` takes the key, or nothing. */
export type EntityDefinition<P> = ActorDefinition<P, string> | ActorDefinition<P, void> | ActorDefinition<P, undefined>;

/** What actors of a definition can be sent. */
export type ProtocolOf<Definition> = Definition extends ActorDefinition<infer P, never> ? P : never;
