import type { AnyHandler, DefinedActor, DurableOptions, HandlerTable } from "../core/actor-definition.ts";
import type { ActorContext, ActorDefinition, Ended } from "../core/contracts/actor.ts";
import type { MailboxOptions, Supervision } from "../core/contracts/actor-options.ts";
import { QStreamError } from "../core/errors.ts";

/** Handlers by the name of their message: each is given the state, what the message carries, and the context. */
export type Handlers<State> = Record<string, (state: State, payload: never, ctx: ActorContext) => unknown>;

/** Protocol of actors with such handlers: each without the state and the context. */
export type ProtocolOfHandlers<Receive> = { readonly [Name in keyof Receive]: MessageOf<Receive[Name]> };

type MessageOf<Handler> = Handler extends (state: never, ...rest: infer Rest) => infer Reply
  ? Rest extends [infer Payload, ...unknown[]]
    ? (payload: Payload) => Reply
    : () => Reply
  : never;

export interface ActorOptions<State, Receive extends Handlers<State>, Args> {
  /** What people call it: in labels, pictures and errors. Under a module of actors, the name that it has there. */
  readonly kind?: string;
  /** Makes the state, when the actor starts and when it is restarted. */
  readonly init: (args: Args, ctx: ActorContext) => State | Promise<State>;
  /**
   * A handler for each message. What it returns (or its promise resolves to) is the answer to an `ask`. The actor takes no other message
   * until the handler is done. What it is given besides the state is read-only.
   */
  readonly receive: Receive;
  /** Handlers of modes that `ctx.become` changes to: they come before those of `receive`. */
  readonly modes?: Readonly<Record<string, Partial<{ [Name in keyof Receive]: Receive[Name] }>>>;
  /** An actor that this one watches has ended. */
  readonly watched?: (state: State, ended: Ended, ctx: ActorContext) => void | Promise<void>;
  /** The actor ends: frees what it holds. */
  readonly stopped?: (state: State, ctx: ActorContext) => void | Promise<void>;
  readonly mailbox?: MailboxOptions;
  /** What is done when a handler throws, by kinds of errors. Restarted unless told, at most 10 times a minute. */
  readonly supervise?: Supervision;
  /** Its transitions are logged before anybody sees what they do, so that no loss changes its state: true, or how it is kept. */
  readonly durable?: boolean | DurableOptions;
  /** Entities of this kind end when they have had no message for about so many milliseconds. Default: never. */
  readonly passivateMs?: number;
}

/**
 * Defines a kind of actor: a state that only its handlers see, one message after the other. Its protocol is inferred from the
 * handlers, so that references to it know what they can be told and asked.
 *
 * @throws QStreamError ACTOR_INVALID for a definition that can't work
 * @example
 * const counter = actor({
 *   init: (start: number) => ({ count: start }),
 *   receive: {
 *     add(state, amount: number) { state.count += amount; },
 *     get: (state) => state.count,
 *   },
 * });
 */
export function actor<State, Receive extends Handlers<State>, Args = void>(
  options: ActorOptions<State, Receive, Args>,
): ActorDefinition<ProtocolOfHandlers<Receive>, Args> {
  const kind = options.kind ?? "actor";
  checkNumbers(kind, options);
  if (typeof options.init !== "function")
    throw invalid(kind, "has no `init`", "Give it what makes its state: init: () => ({})");
  const receive = tableOf(kind, "receive", options.receive, null);
  const modes = new Map<string, HandlerTable>();
  for (const [mode, handlers] of Object.entries(options.modes ?? {})) {
    modes.set(mode, tableOf(kind, `mode "${mode}"`, handlers ?? {}, receive));
  }
  const { durable } = options;
  const defined: DefinedActor = {
    kind,
    init: options.init as DefinedActor["init"],
    receive,
    modes,
    watched: options.watched as DefinedActor["watched"],
    stopped: options.stopped as DefinedActor["stopped"],
    mailbox: options.mailbox ?? {},
    supervise: options.supervise ?? [],
    durable: durable === true ? {} : durable === false ? undefined : durable,
    passivateMs: options.passivateMs,
    registered: undefined,
  };
  return defined as unknown as ActorDefinition<ProtocolOfHandlers<Receive>, Args>;
}

function tableOf(kind: string, where: string, handlers: object, base: HandlerTable | null): HandlerTable {
  const table: Record<string, AnyHandler> = Object.create(null) as Record<string, AnyHandler>;
  for (const [name, handler] of Object.entries(base ?? {})) if (handler !== undefined) table[name] = handler;
  const entries = Object.entries(handlers);
  if (base === null && entries.length === 0) {
    throw invalid(kind, "has no handlers", "Name its messages: receive: { add(state, amount) {} }");
  }
  for (const [name, handler] of entries) {
    if (typeof handler !== "function")
      throw invalid(
        kind,
        `has no function for "${name}" in its ${where}`,
        "A handler is a function of the state, the payload and the context",
      );
    table[name] = handler as AnyHandler;
  }
  return table;
}

function checkNumbers(
  kind: string,
  { mailbox, passivateMs }: { mailbox?: MailboxOptions; passivateMs?: number },
): void {
  const limit = mailbox?.limit;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    throw invalid(kind, `has a mailbox with the limit ${limit}`, "A limit is a whole number from 1 on");
  }
  if (passivateMs !== undefined && !(passivateMs >= 1 && passivateMs < 2 ** 31)) {
    throw invalid(kind, `is passivated after ${passivateMs} ms`, "Give it milliseconds from 1 on, less than 24 days");
  }
}

function invalid(kind: string, what: string, advice: string): QStreamError {
  return new QStreamError("ACTOR_INVALID", `the actor "${kind}" ${what}`, { advice });
}
