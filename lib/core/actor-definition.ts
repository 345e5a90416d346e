import type { ActorContext, ActorDefinition, Ended } from "./contracts/actor.ts";
import type { MailboxOptions, Supervision } from "./contracts/actor-options.ts";
import { QStreamError } from "./errors.ts";

/** A handler as the runtime calls it. */
export type AnyHandler = (state: unknown, payload: unknown, ctx: ActorContext) => unknown;

/** Handlers by the name of their message. Without a prototype of its own: no message is called `constructor` by accident. */
export type HandlerTable = Readonly<Record<string, AnyHandler | undefined>>;

/** How the state of a durable actor is kept. */
export interface DurableOptions<State = unknown> {
  /** A snapshot is taken after so many messages. Default 1,000. */
  readonly snapshotEvery?: number;
  /** Version of the state's form; 1 unless told. */
  readonly version?: number;
  /** Makes of a state of an earlier version one of this one, and returns that. */
  readonly migrate?: (state: unknown, from: number) => State;
}

/** A definition with what is in it, which only the runtime sees. */
export interface DefinedActor extends ActorDefinition<unknown, never> {
  kind: string;
  readonly init: (args: unknown, ctx: ActorContext) => unknown;
  readonly receive: HandlerTable;
  /** Handlers of each mode, which come before those of `receive`. */
  readonly modes: ReadonlyMap<string, HandlerTable>;
  readonly watched: ((state: unknown, ended: Ended, ctx: ActorContext) => unknown) | undefined;
  readonly stopped: ((state: unknown, ctx: ActorContext) => unknown) | undefined;
  readonly mailbox: MailboxOptions;
  readonly supervise: Supervision;
  readonly durable: DurableOptions | undefined;
  /** Milliseconds without a message after which an entity is passivated. */
  readonly passivateMs: number | undefined;
  /** By which other slots find it: the key under which a module of actors has it. */
  registered: string | undefined;
}

/**
 * What the runtime sees of a definition.
 *
 * @throws QStreamError ACTOR_INVALID for what `actor` didn't make
 */
export function definedActor(
  definition: ActorDefinition<never, never> | ActorDefinition<unknown, never>,
): DefinedActor {
  const defined = definition as Partial<DefinedActor> | undefined;
  if (defined?.modes instanceof Map) return defined as DefinedActor;
  throw new QStreamError("ACTOR_INVALID", "what is to be spawned is no definition of an actor", {
    advice: "Make it with actor({ init, receive })",
  });
}
